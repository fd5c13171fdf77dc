use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_merged_with_what_the_user_did_or_kept() {
    let bench = Bench::new("");
    let batch = bench.answered().await;
    // Text in front, a change inside of a function that the answer does not touch, and one function replaced.
    let changed = format!("# new\n{TEXT}")
        .replace("    return price\n", "    return price * 2\n")
        .replace("def two(name):\n    return name\n", "two = str\n");
    bench.write("a.py", &changed);
    let (landed, files) = bench.land(&batch, true).await;
    let now = bench.read("a.py");
    assert_eq!((landed.applied, landed.kept), (2, 1), "{files:?}\n{now}");
    assert!(now.starts_with("# new\n") && now.contains("return price * 2") && now.contains("two = str"), "{now}");
    let kept: Vec<_> = files[0].items.iter().filter(|item| item.state == ItemState::Kept).collect();
    assert!(kept[0].name.as_deref() == Some("two") && kept[0].reason.is_some(), "{kept:?}");
    assert!(bench.books.ledger.batch_answer(&batch.id, kept[0].item).unwrap().is_some(), "it can be read");
    // With the old text back it can be applied after all.
    bench.write("a.py", &now.replace("two = str\n", "def two(name):\n    return name\n"));
    assert_eq!(bench.land(&batch, true).await.0.applied, 1);
    assert!(edited(&bench.read("a.py")), "{}", bench.read("a.py"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_landing_that_was_cut_short_is_not_repeated() {
    let bench = Bench::new("");
    let batch = bench.answered().await;
    let (_, files) = bench.land(&batch, false).await;
    let written = files[0].edits[0].new_text.clone();
    let landing = serde_json::to_string(&[("a.py", crate::hash::sha256(&written))]).unwrap();
    // Killed after the file was written, and before it was.
    for (text, state) in [(written.as_str(), ItemState::Applied), (TEXT, ItemState::Answered)] {
        bench.write("a.py", text);
        bench.books.ledger.begin_landing(&batch.id, &[0, 1, 2], &landing).unwrap();
        let alone = alone(&bench.books, &mut || {}).await;
        recover(&bench.books, &batch, &alone).unwrap();
        assert_eq!(bench.counts(&batch), BTreeMap::from([(state, 3)]));
    }
    assert_eq!(bench.land(&batch, true).await.0.applied, 3);
    assert_eq!(bench.read("a.py"), written);
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_of_several_functions_go_into_one_new_file() {
    let bench = Bench::new("");
    bench.write("pyproject.toml", "[tool.pytest.ini_options]\n");
    let draft = bench.draft("write-tests", Items::Functions, &[bench.write("a.py", TEXT)]);
    let connection = bench.connection().await;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    let (shown, files) = bench.land(&batch, false).await;
    assert_eq!((shown.applied, files[0].edits.len()), (3, 1), "{files:?}");
    let (landed, files) = bench.land(&batch, true).await;
    assert_eq!((landed.applied, landed.kept), (3, 0), "{files:?}");
    let tests = bench.read(&files[0].edits[0].path);
    assert_eq!(tests, files[0].edits[0].new_text);
    assert!(["one", "two", "three"].iter().all(|name| tests.contains(&format!("def test_{name}"))), "{tests}");
    assert_eq!(bench.read("a.py"), TEXT);
}

#[tokio::test(flavor = "multi_thread")]
async fn explanations_are_found_where_hovers_look() {
    let bench = Bench::new("");
    let path = bench.write("a.py", TEXT);
    let draft = bench.draft("explain", Items::Functions, std::slice::from_ref(&path));
    let connection = bench.connection().await;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    let uri = url::Url::from_file_path(&path).unwrap();
    let (shown, files) = bench.land(&batch, false).await;
    assert_eq!((shown.applied, files[0].explanations.len()), (3, 3));
    assert!(bench.books.ledger.for_uri(uri.as_str()).unwrap().is_empty());
    bench.land(&batch, true).await;
    let codes: Vec<String> =
        bench.books.ledger.for_uri(uri.as_str()).unwrap().into_iter().map(|explained| explained.code).collect();
    assert!(codes.iter().any(|code| code == "def two(name):\n    return name"), "{codes:?}");
    let stored = bench.books.ledger.load(&format!("{}-0-1", batch.id)).unwrap().expect("the first of them");
    assert!(
        stored.messages.contains("<document path") && stored.messages.contains("assistant"),
        "it can be gone on with"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lands_answers_is_alone() {
    let bench = Bench::new("");
    let batch = bench.answered().await;
    let first = alone(&bench.books, &mut || {}).await;
    let (tell, told) = tokio::sync::oneshot::channel();
    let mut tell = Some(tell);
    let path = bench.books.ledger.path().unwrap().to_owned();
    let others = Books {
        ledger: Ledger::lazy(path),
        settings: bench.books.settings.clone(),
        estimates: Arc::default(),
        budgets: bench.books.budgets.clone(),
        gate: Gate::new(bench.folder.path().join("data")),
    };
    let id = batch.clone();
    let waiting = tokio::spawn(async move {
        let mut others_said = || {
            if let Some(tell) = tell.take() {
                tell.send(()).unwrap();
            }
        };
        let alone = alone(&others, &mut others_said).await;
        let cancel = CancellationToken::new();
        land(&others, &id, Some(&alone), &cancel, &mut |_| Ok(())).await.unwrap()
    });
    told.await.unwrap();
    assert!(!waiting.is_finished());
    let cancel = CancellationToken::new();
    let landed = land(&bench.books, &batch, Some(&first), &cancel, &mut |_| Ok(())).await.unwrap();
    drop(first);
    assert_eq!((landed.applied, waiting.await.unwrap()), (3, Landed::default()));
    assert!(edited(&bench.read("a.py")));
}
