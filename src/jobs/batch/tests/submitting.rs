use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn goes_out_in_as_many_batches_as_it_takes_and_comes_back_as_one() {
    let bench = Bench::new("");
    let files: Vec<PathBuf> = (0..4).map(|file| bench.write(&format!("{file}.py"), TEXT)).collect();
    let draft = bench.draft("document", Items::Functions, &files);
    let connection = bench.connection().await;
    let submitted = submit_within(&bench.books, &connection, &draft, 5, LARGEST_BATCH).await.unwrap();
    let batch = submitted.batch;
    let parts = bench.books.ledger.batch_parts(&batch.id).unwrap();
    assert_eq!(parts.iter().map(|part| part.requests).collect::<Vec<_>>(), [5, 5, 2]);
    let mut looks = 0;
    let refreshed = wait(&bench.books, &connection, &batch, &mut |_| looks += 1).await.unwrap();
    assert!(refreshed.settled && looks > 0 && refreshed.notes.is_empty(), "{refreshed:?}");
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Answered, 12)]));
    bench.check_bill(&batch);
    // Looking again takes nothing in again.
    let again = refresh(&bench.books, &connection, &batch).await.unwrap();
    assert_eq!(again, Refreshed { settled: true, ..Refreshed::default() });
    bench.check_bill(&batch);
    let (shown, _) = bench.land(&batch, false).await;
    assert_eq!((shown.applied, bench.read("0.py").as_str()), (12, TEXT), "only shown");
    let (landed, files) = bench.land(&batch, true).await;
    assert_eq!((landed.applied, files.len()), (12, 4));
    assert!((0..4).all(|file| edited(&bench.read(&format!("{file}.py")))));
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Applied, 12)]));
    assert_eq!(bench.land(&batch, true).await.0, Landed::default(), "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cache_reads_in_a_batch_is_what_was_marked() {
    let bench = Bench::new("");
    let functions = (0..12).map(|n| format!("def f{n}(a):\n    return a + {n}  # {}\n\n\n", "words ".repeat(60)));
    let text = functions.collect::<Vec<_>>().concat();
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", &text)]);
    let connection = bench.connection().await;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    let totals = bench.books.ledger.batch_totals(&batch.id).unwrap();
    // One after the other, as the simulator works, the first writes and eleven read.
    assert!(totals.tokens.cache_write_1h > 0 && totals.tokens.cache_write_5m == 0, "{totals:?}");
    assert_eq!(totals.tokens.cache_read, 11 * totals.tokens.cache_write_1h);
    // The estimate reckons that fewer of them do.
    let estimate = draft.estimate();
    assert!(estimate.cost_usd.unwrap() > totals.known_cost_usd && estimate.live_cost_usd.is_some(), "{estimate:?}");
    bench.check_bill(&batch);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_stay_here_and_are_in_the_answers_again() {
    let secret = format!("sk-ant-api03-{}", "Zq3vT9mK2x".repeat(9));
    let bench = Bench::new("");
    let text = format!("def key(name):\n    return {{\"name\": name, \"key\": \"{secret}\"}}\n");
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", &text)]);
    let connection = bench.connection().await;
    let mut sent = String::new();
    draft
        .each(&mut |_, request| {
            sent = serde_json::to_string(&request).unwrap();
            Ok(())
        })
        .unwrap();
    assert_eq!(draft.withheld.counts().map(|(_, count)| count).sum::<usize>(), 1);
    assert!(sent.contains("def key") && !sent.contains("Zq3vT9mK2x") && sent.contains("ASIDE_SECRET_"), "{sent}");
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    // Any other process knows what the placeholders stand for by the file that was asked about.
    assert_eq!(bench.land(&batch, true).await.0.applied, 1);
    let now = bench.read("a.py");
    assert!(now.contains(&secret) && now.contains("\"\"\"") && !now.contains("ASIDE_SECRET_"), "{now}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_counts_what_it_is_sent() {
    let bench = Bench::new("");
    let mut draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
    let guessed = draft.estimate().input_tokens;
    let connection = bench.connection().await;
    draft.count(&connection).await.unwrap();
    let counted = draft.estimate().input_tokens;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    let taken = bench.books.ledger.batch_totals(&batch.id).unwrap().tokens.total_input();
    assert!(
        counted.abs_diff(taken) <= guessed.abs_diff(taken) && counted.abs_diff(taken) < 5,
        "{guessed} {counted} {taken}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_acceptance_was_lost_is_found_and_not_sent_twice() {
    let bench = Bench::new("[[step]]\nmatch = { path = \"/v1/messages/batches\" }\ncut = {}\n");
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
    let connection = bench.connection().await;
    let submitted = submit(&bench.books, &connection, &draft).await.unwrap();
    assert_eq!((submitted.accepted, &submitted.error), (3, &None));
    wait(&bench.books, &connection, &submitted.batch, &mut |_| {}).await.unwrap();
    assert_eq!(bench.counts(&submitted.batch), BTreeMap::from([(ItemState::Answered, 3)]));
    assert!(bench.part(&submitted.batch).confirmed, "its results say whose they are");
    bench.check_bill(&submitted.batch);
    assert_eq!(connection.client().batches(10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_not_accepted_leaves_nothing() {
    for (step, word) in [("status = 500\n", "failed"), ("status = 401\n", "key")] {
        let bench = Bench::new(&format!("[[step]]\nmatch = {{ path = \"/v1/messages/batches\" }}\n{step}"));
        let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
        let error = submit(&bench.books, &*bench.connection().await, &draft).await.unwrap_err();
        assert!(error.message.contains(word), "{error}");
        assert_eq!(bench.books.ledger.batches().unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_kept_from_the_submission_on() {
    let mut bench = Bench::new("");
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
    let usd = draft.estimate().cost_usd.unwrap();
    let budget = |bench: &mut Bench, usd: f64| {
        let mut settings = Settings::clone(&bench.books.settings);
        settings.budget.daily_usd = Some(usd);
        bench.books.settings = Arc::new(settings);
    };
    budget(&mut bench, usd * 0.9);
    let connection = bench.connection().await;
    let error = submit(&bench.books, &connection, &draft).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Budget);
    assert_eq!(bench.books.ledger.batches().unwrap(), [], "nothing was sent");
    budget(&mut bench, usd * 1.5);
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    let second = bench.draft("explain", Items::Functions, &[bench.root().join("a.py")]);
    let error = submit(&bench.books, &connection, &second).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Budget, "what runs counts as spent");
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    let now = Timestamp::now();
    let spent = bench.books.ledger.spent(now - SignedDuration::from_hours(1), false, now).unwrap();
    assert!(spent.reserved_usd.abs() < 1e-12 && spent.usd > 0.0, "what was reserved was given back: {spent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_every_line_would_be_refused_for_is_said_before() {
    let mut bench = Bench::new("[[step]]\nmatch = { path = \"/v1/messages/count_tokens\" }\nstatus = 403\n");
    let path = bench.write("a.py", TEXT);
    let mut draft = bench.draft("document", Items::Functions, std::slice::from_ref(&path));
    let error = draft.count(&*bench.connection().await).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Permission);
    let mut settings = Settings::clone(&bench.books.settings);
    settings.model = "claude-opus-4-1".to_owned();
    bench.books.settings = Arc::new(settings);
    let mut draft = bench.draft("document", Items::Functions, &[path]);
    let error = draft.count(&*bench.connection().await).await.unwrap_err();
    assert!(
        error.message.contains("was retired on") && error.hint.unwrap().contains("successor claude-opus"),
        "{}",
        error.message
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_batch_is_larger_than_the_api_takes() {
    let bench = Bench::new("");
    let files: Vec<PathBuf> = (0..4).map(|file| bench.write(&format!("{file}.py"), TEXT)).collect();
    let draft = bench.draft("document", Items::Functions, &files);
    let connection = bench.connection().await;
    let mut largest = 0;
    let mut measure = |_, request| {
        largest = largest.max(serde_json::to_vec(&request).unwrap().len() as u64);
        Ok(())
    };
    draft.each(&mut measure).unwrap();
    // Room for three of them, with their ids and what is around.
    let most = largest * 3 + 1000;
    let batch = submit_within(&bench.books, &connection, &draft, 100, most).await.unwrap().batch;
    let parts = bench.books.ledger.batch_parts(&batch.id).unwrap();
    assert_eq!(parts.iter().map(|part| part.requests).collect::<Vec<_>>(), [3; 4]);
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Answered, 12)]));
    let error = submit_within(&bench.books, &connection, &draft, 100, largest / 2).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLong);
    assert_eq!(bench.books.ledger.batches().unwrap().len(), 1, "nothing of it is anywhere");
}
