use super::super::super::feed::tests::work;
use super::super::super::test_client::{TestSession, params};
use super::*;

fn order(it: &TestSession) -> Order {
    let uri = it.open("a.py", "def one():\n    return 1\n");
    let (snapshot, settings) = {
        let state = it.session().state();
        (state.documents.get(&uri).expect("it is open").snapshot(), state.settings.clone())
    };
    Order {
        job: "job".to_owned(),
        action: actions::find("explain").expect("it is in the catalogue").clone(),
        selection: 0..10,
        snapshot,
        subject: None,
        root: None,
        diagnostics: Vec::new(),
        prompt: None,
        model: settings.model.clone(),
        settings,
        simulated: true,
    }
}

#[tokio::test]
async fn a_job_that_panics_ends_for_the_client_too() {
    let mut it = TestSession::new("").await;
    let order = order(&it);
    let progress = Some((ProgressToken::String("token".to_owned()), false));
    let (client, outlet) = (it.session().client.clone(), it.session().outlet.clone());
    let channel = Channel { client, job: "job".to_owned(), work: work("Explain it"), progress, outlet, stream: true };
    let (feed, pump) = Feed::start(channel);
    let report = whatever_happens(&order, &feed, async { panic!("a defect") }).await;
    assert_eq!((report.outcome, report.error.map(|error| error.kind)), (Outcome::Failed, Some(ErrorKind::Internal)));
    let told = tokio::spawn(async move {
        let mut told = Vec::new();
        while told.last().is_none_or(|kind| kind != "end progress") {
            let message = it.client.next().await;
            let params = params(&message);
            let kind = params.get("kind").or_else(|| params["value"].get("kind")).expect("a kind").clone();
            let way = if message.method() == "$/progress" { " progress" } else { "" };
            told.push(format!("{}{way}", kind.as_str().unwrap_or_default()));
        }
        told
    });
    pump.await.expect("the pump goes on");
    assert_eq!(told.await.expect("it is told"), ["begin progress", "end", "end progress"]);
}
