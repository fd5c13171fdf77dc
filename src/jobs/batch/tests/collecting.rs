use super::*;

/// Leaves a batch as a process does that is killed at a moment, and says how it is found.
async fn killed(bench: &Bench, at: PartState, until: SignedDuration) -> (StoredBatch, Result<Refreshed, Error>) {
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
    let connection = bench.connection().await;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    let mut part = bench.part(&batch);
    part.state = at;
    part.api_id = None;
    part.confirmed = false;
    part.sending_until = Some(Timestamp::now() + until);
    if at == PartState::Intended {
        part.sent = None;
        bench.books.ledger.set_part_items(&batch.id, 0, ItemState::Unsent, None).unwrap();
    }
    bench.books.ledger.set_part(&batch.id, &part).unwrap();
    let refreshed = refresh(&bench.books, &connection, &batch).await;
    (batch, refreshed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_while_it_sends_has_sent_or_not() {
    let over = SignedDuration::from_secs(-1);
    let bench = Bench::new("");
    let (batch, refreshed) = killed(&bench, PartState::Sending, over).await;
    refreshed.unwrap();
    assert_ne!(bench.part(&batch).api_id, None, "it was accepted");
    wait(&bench.books, &*bench.connection().await, &batch, &mut |_| {}).await.unwrap();
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Answered, 3)]));

    let bench = Bench::new("");
    let (batch, refreshed) = killed(&bench, PartState::Intended, over).await;
    assert!(refreshed.unwrap().settled);
    assert_eq!(
        (bench.part(&batch).state, bench.counts(&batch)),
        (PartState::Unsent, BTreeMap::from([(ItemState::Unsent, 3)]))
    );
    let (targets, left_out) = bench.retried(&batch, false).await;
    assert_eq!((targets.len(), left_out), (1, Vec::new()));

    // Another process may be about to send it right now.
    let bench = Bench::new("");
    let (batch, refreshed) = killed(&bench, PartState::Intended, SignedDuration::from_mins(1)).await;
    assert!(!refreshed.unwrap().settled);
    assert!(bench.retried(&batch, false).await.0.is_empty(), "not twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_batch_is_not_taken_for_ours() {
    let bench = Bench::new("");
    // Another tool's batch, of the same size and at the same time; ours never got there.
    let connection = bench.connection().await;
    let other = bench.draft("explain", Items::Functions, &[bench.write("a.py", TEXT)]);
    let other = submit(&bench.books, &connection, &other).await.unwrap().batch;
    bench.books.ledger.forget_batch(&other.id).unwrap();
    let mine = StoredBatch { id: "bmine".to_owned(), action: "document".to_owned(), ..other };
    let items = (0..3).map(|number| crate::ledger::batches::NewItem {
        number,
        turn: 1,
        part: 0,
        file: 0,
        selection: 0..1,
        subject: None,
        estimated_input: 1,
        repairs: false,
    });
    let now = Timestamp::now();
    let intent = crate::ledger::batches::Intent {
        files: vec![crate::ledger::batches::BatchFile {
            id: 0,
            path: "a.py".to_owned(),
            language: "python".to_owned(),
            text: TEXT.into(),
        }],
        items: items.collect(),
        parts: vec![crate::ledger::batches::NewPart { number: 0, requests: 3, sending_until: now }],
    };
    bench.books.ledger.add_batch(&mine, &intent).unwrap();
    let part = BatchPart { state: PartState::Sending, sent: Some(now), ..bench.part(&mine) };
    bench.books.ledger.set_part("bmine", &part).unwrap();
    let refreshed = wait(&bench.books, &connection, &mine, &mut |_| {}).await.unwrap();
    assert!(refreshed.settled);
    assert_eq!((bench.part(&mine).state, bench.part(&mine).api_id), (PartState::Unsent, None));
    assert_eq!(bench.books.ledger.batch_totals("bmine").unwrap().attempts, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_break_off_are_taken_up_where_they_broke() {
    let bench =
        Bench::new("[[step]]\nmatch = { path = \"/v1/messages/batches/*/results\" }\ncut = { after_bytes = 1500 }\n");
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
    let connection = bench.connection().await;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    let broken = loop {
        match refresh(&bench.books, &connection, &batch).await {
            Ok(refreshed) => assert!(!refreshed.settled),
            Err(error) => break error,
        }
    };
    assert_eq!(broken.kind, ErrorKind::Network);
    let before = bench.counts(&batch);
    assert!(before.contains_key(&ItemState::Answered) && before.contains_key(&ItemState::Sent), "{before:?}");
    assert_eq!(bench.part(&batch).state, PartState::Running);
    assert!(refresh(&bench.books, &connection, &batch).await.unwrap().settled);
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Answered, 3)]));
    bench.check_bill(&batch);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_another_key_is_told() {
    let bench = Bench::new("");
    let batch = bench.answered().await;
    let mut part = bench.part(&batch);
    part.state = PartState::Running;
    bench.books.ledger.set_part(&batch.id, &part).unwrap();
    let others = Connections::new(Environment::from_pairs([("ANTHROPIC_API_KEY", "sk-ant-other")]), None);
    let other = others.get(&bench.books.settings).await.unwrap();
    let error = refresh(&bench.books, &other, &batch).await.unwrap_err();
    assert!(error.message.contains("another key"), "{error}");
    assert!(cancel(&bench.books, &other, &batch).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_goes_on_when_the_connection_breaks_but_not_for_ever() {
    let results = "[[step]]\nmatch = { path = \"/v1/messages/batches/*/results\" }\n";
    let bench = Bench::new(&format!("{results}cut = {{ after_bytes = 1500 }}\n\n{results}status = 503\n"));
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
    let connection = bench.connection().await;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    let mut failed = Vec::new();
    let mut seen = |looked: Result<&Refreshed, &Error>| failed.extend(looked.err().map(|error| error.kind));
    assert!(wait(&bench.books, &connection, &batch, &mut seen).await.unwrap().settled);
    assert_eq!(failed, [ErrorKind::Network, ErrorKind::Overloaded]);
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Answered, 3)]));
    bench.check_bill(&batch);

    let refused = Bench::new(&format!("{results}status = 403\n"));
    let draft = refused.draft("document", Items::Functions, &[refused.write("a.py", TEXT)]);
    let connection = refused.connection().await;
    let batch = submit(&refused.books, &connection, &draft).await.unwrap().batch;
    let error = wait(&refused.books, &connection, &batch, &mut |_| {}).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Permission);
}
