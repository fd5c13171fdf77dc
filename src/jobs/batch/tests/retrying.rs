use super::*;
use crate::claude::types::Message;

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_asked_for_again_where_it_is_by_now() {
    let requests = "match = { path = \"/v1/messages/batches/requests\", text = ";
    let bench = Bench::new(&format!(
        "[[step]]\n{requests}'lines=\"5-6\"' }}\nstatus = 400\nerror = {{ message = \"Not today\" }}\n\n\
         [[step]]\n{requests}'lines=\"9-10\"' }}\nbatch_result = \"expired\"\n"
    ));
    let batch = bench.answered().await;
    assert_eq!(
        bench.counts(&batch),
        BTreeMap::from([(ItemState::Answered, 1), (ItemState::Errored, 1), (ItemState::Expired, 1)])
    );
    let items = bench.books.ledger.batch_items(&batch.id).unwrap();
    assert_eq!(items[1].reason.as_deref(), Some("Not today"));
    assert_eq!(bench.land(&batch, true).await.0.applied, 1);
    // One function is gone meanwhile, and the other is elsewhere.
    let text = bench.read("a.py").replace("def two(name):\n    return name\n", "");
    bench.write("a.py", &format!("import os\n\n{text}"));
    let draft = bench.again(&batch, false).await;
    assert_eq!((draft.left_out.len(), draft.repairs()), (1, 0), "{:?}", draft.left_out);
    let connection = bench.connection().await;
    let submitted = submit(&bench.books, &connection, &draft).await.unwrap();
    assert_eq!((submitted.accepted, &submitted.batch.id), (1, &batch.id));
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    assert_eq!(bench.land(&batch, true).await.0.applied, 1);
    let now = bench.read("a.py");
    assert!(now.starts_with("import os\n") && now.matches("\"\"\"").count() == 4, "{now}");
    assert_eq!(
        bench.counts(&batch),
        BTreeMap::from([(ItemState::Applied, 2), (ItemState::Errored, 1)]),
        "the one that is gone stays as it was"
    );
    bench.check_bill(&batch);
}

/// Three answers: code that was changed, no code, and half of one.
const FAULTS: &str = r#"
[[step]]
match = { path = "/v1/messages/batches/requests" }
answer = "```python\ndef one(price):\n    return price + 1\n```"

[[step]]
match = { path = "/v1/messages/batches/requests" }
answer = "I would rather not."

[[step]]
match = { path = "/v1/messages/batches/requests" }
answer = "half"
stop_reason = "max_tokens"
"#;

/// What a draft says to the model, turn by turn.
fn said(draft: &Draft) -> Vec<Vec<String>> {
    let mut said = Vec::new();
    draft
        .each(&mut |_, request| {
            let text = |message: &Message| serde_json::to_string(message).unwrap();
            said.push(request.messages.iter().map(text).collect());
            Ok(())
        })
        .unwrap();
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_its_promise_is_mended_by_the_model() {
    let bench = Bench::new(FAULTS);
    let batch = bench.answered().await;
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Answered, 2), (ItemState::Unusable, 1)]));
    let (landed, files) = bench.land(&batch, true).await;
    assert_eq!((landed.applied, landed.kept, landed.unusable), (0, 2, 2), "{files:?}");
    assert_eq!(bench.read("a.py"), TEXT);
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Unusable, 3)]));

    let draft = bench.again(&batch, false).await;
    assert_eq!(
        (draft.items(), draft.repairs()),
        (3, 2),
        "an answer that was cut has nothing wrong that could be mended"
    );
    let said = said(&draft);
    assert_eq!(said.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let told = |item: usize, words: [&str; 2]| said[item][1].contains(words[0]) && said[item][2].contains(words[1]);
    assert!(told(0, ["return price + 1", "cannot be used"]) && told(1, ["rather not", "code block"]), "{said:?}");
    let first = bench.draft("document", Items::Functions, &[bench.root().join("a.py")]);
    assert!(draft.estimate().input_tokens > first.estimate().input_tokens, "what is said besides is in the estimate");

    let again = bench.send(&draft).await;
    assert_eq!(again.id, batch.id);
    assert_eq!(bench.land(&batch, true).await.0, Landed { applied: 3, ..Landed::default() });
    assert!(edited(&bench.read("a.py")), "{}", bench.read("a.py"));
    bench.check_bill(&batch);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_looked_at_are_checked_before_anything_is_asked_again() {
    let bench = Bench::new(FAULTS);
    let batch = bench.answered().await;
    let draft = bench.again(&batch, false).await;
    assert_eq!((draft.items(), draft.repairs()), (3, 2));
    assert_eq!(bench.read("a.py"), TEXT);
    // About a function that is another one by now the old answer says nothing.
    bench.write("a.py", &TEXT.replace("return price", "return price * 2"));
    let draft = bench.again(&batch, false).await;
    assert_eq!((draft.repairs(), draft.entries[0].selection.clone()), (1, 0..36), "all of its last line");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_wrong_is_known_as_long_as_there_is_no_other_answer() {
    let path = "match = { path = \"/v1/messages/batches\" }";
    let accepted = format!("[[step]]\n{path}\nheaders = {{ x-first = \"1\" }}\n\n");
    let bench = Bench::new(&format!("{accepted}[[step]]\n{path}\nstatus = 401\n{FAULTS}"));
    let batch = bench.answered().await;
    let draft = bench.again(&batch, false).await;
    let connection = bench.connection().await;
    let refused = submit(&bench.books, &connection, &draft).await.unwrap();
    assert!(refused.accepted == 0 && refused.error.is_some(), "{refused:?}");
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Unsent, 3)]));
    let draft = bench.again(&batch, false).await;
    assert_eq!(draft.repairs(), 2, "{:?}", said(&draft));
    bench.send(&draft).await;
    assert_eq!(bench.land(&batch, true).await.0.applied, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_again_twice() {
    let mut bench = Bench::new(FAULTS);
    let mut settings = Settings::clone(&bench.books.settings);
    settings.budget.daily_usd = Some(100.0);
    bench.books.settings = Arc::new(settings);
    let batch = bench.answered().await;
    let (first, second) = (bench.again(&batch, false).await, bench.again(&batch, false).await);
    bench.send(&first).await;
    let error = submit(&bench.books, &*bench.connection().await, &second).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict, "{error}");
    assert_eq!(bench.books.ledger.batch_parts(&batch.id).unwrap().len(), 2, "nothing was sent");
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Answered, 3)]));
    let now = Timestamp::now();
    let spent = bench.books.ledger.spent(now - SignedDuration::from_hours(1), false, now).unwrap();
    assert!(spent.reserved_usd.abs() < 1e-12, "{spent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_is_asked_again_when_that_is_wanted() {
    let bench = Bench::new("");
    let batch = bench.answered().await;
    let mine = TEXT.replace("def two(name):\n", "def two(name):\n    # mine\n");
    bench.write("a.py", &mine);
    let (landed, files) = bench.land(&batch, false).await;
    assert_eq!((landed.applied, landed.kept), (2, 1), "{files:?}");
    assert!(bench.retried(&batch, false).await.0.is_empty(), "its answer may yet be applied");
    let draft = bench.again(&batch, true).await;
    assert_eq!((draft.items(), draft.repairs()), (1, 0), "those that fit are not asked again");
    bench.send(&draft).await;
    assert_eq!(bench.land(&batch, true).await.0.applied, 3);
    let now = bench.read("a.py");
    assert!(edited(&now) && now.contains("    # mine\n"), "{now}");
}
