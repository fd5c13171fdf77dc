//! However the client leaves: the work stops, and what it cost until then is in the books.

use serde_json::Value;

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

#[derive(Clone, Copy, Debug)]
enum Leaves {
    ClosesThePipe,
    Exits,
    Signals(&'static str),
}

/// A server that is left in the middle of an answer: its exit code, and the usage that the ledger has then.
fn leave(how: Leaves) -> (Option<i32>, Value) {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let simulator = Simulator::start(&sandbox, None, Some(20));
    let options = ClientOptions { rude: true, ..ClientOptions::with_api(simulator.url.as_str()) };
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let job = client.run("explain", &uri, 0..text.len());
    client.first_text(&job);
    match how {
        Leaves::ClosesThePipe => client.close_input(),
        Leaves::Exits => client.notify("exit", Value::Null),
        Leaves::Signals(signal) => {
            let id = client.process_id().to_string();
            assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
        }
    }
    let code = client.exit_status().code();
    let output = sandbox.aside().args(["usage", "--json"]).output().unwrap();
    (code, serde_json::from_slice(&output.stdout).expect("usage in JSON"))
}

#[test]
fn what_a_job_cost_is_written_down_however_the_client_leaves() {
    for (how, expected) in [
        (Leaves::ClosesThePipe, 0),
        (Leaves::Exits, 1),
        (Leaves::Signals("-TERM"), 143),
        (Leaves::Signals("-INT"), 130),
        (Leaves::Signals("-HUP"), 129),
    ] {
        let (code, usage) = leave(how);
        assert_eq!(code, Some(expected), "{how:?}");
        let total = &usage["total"];
        assert_eq!(total["requests"], 1, "{how:?}: {usage:#}");
        let input = ["inputTokens", "cacheWriteTokens"].map(|key| total[key].as_u64().unwrap());
        assert!(input.iter().sum::<u64>() > 1000, "{how:?}: what was billed is in it: {usage:#}");
    }
}
