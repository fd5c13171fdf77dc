//! Budgets: refused in time, kept by several processes at once, and told of before it is too late.

use std::process::{Child, Output};

use aside::ledger::Ledger;
use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

fn act(sandbox: &Sandbox, simulator: &Simulator, arguments: &[&str]) -> Child {
    let mut command = sandbox.aside();
    command.args(["act", "explain", "inventory.py:75-80", "--json"]).args(arguments);
    command.env("ANTHROPIC_BASE_URL", simulator.url.as_str()).env("ANTHROPIC_API_KEY", "sk-ant-test");
    command.spawn().unwrap()
}

fn said(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn run(sandbox: &Sandbox, simulator: &Simulator, arguments: &[&str]) -> (Value, String) {
    let output = act(sandbox, simulator, arguments).wait_with_output().unwrap();
    (said(&output), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn cost(result: &Value) -> f64 {
    result["usage"]["costUsd"].as_f64().unwrap_or_else(|| panic!("a cost in {result}"))
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.example("inventory.py");
    sandbox
}

fn spent(sandbox: &Sandbox) -> f64 {
    let output = sandbox.aside().args(["usage", "--json"]).output().unwrap();
    let usage: Value = serde_json::from_slice(&output.stdout).unwrap();
    usage["total"]["costUsd"].as_f64().unwrap_or_else(|| panic!("a cost in {usage}"))
}

#[test]
fn eight_processes_at_once_spend_no_more_than_there_is() {
    let sandbox = sandbox();
    // Slow enough that all of them are there before the first has ended.
    let simulator = Simulator::start(&sandbox, None, Some(400));
    let cold = cost(&run(&sandbox, &simulator, &[]).0);
    let warm = cost(&run(&sandbox, &simulator, &[]).0);
    assert!(warm < cold, "{warm} {cold}");
    let budget = cold + 4.5 * warm;
    sandbox.configure(&format!("[budget]\ndaily_usd = {budget}\n"));
    let children: Vec<_> = (0..8).map(|_| act(&sandbox, &simulator, &[])).collect();
    let results: Vec<_> = children.into_iter().map(|child| said(&child.wait_with_output().unwrap())).collect();
    let done = results.iter().filter(|result| result["outcome"] == "shown").count();
    let refused: Vec<_> = results.iter().filter(|result| result["outcome"] == "failed").collect();
    assert_eq!(done + refused.len(), 8, "{results:#?}");
    assert!((1..=3).contains(&done), "{done} fit: {results:#?}");
    for result in refused {
        assert_eq!(result["error"]["kind"], "budget", "{result}");
        assert!(result["usage"].is_null(), "nothing was sent: {result}");
        let hint = result["error"]["hint"].as_str().unwrap();
        assert!(hint.contains("budget.daily_usd") && hint.contains("config.toml"), "{hint}");
    }
    let spent = spent(&sandbox);
    assert!(spent <= budget + 1e-9, "{spent} of {budget}");
    let requests = simulator.account()["requests"].as_array().unwrap().len();
    assert_eq!(requests, 2 + done, "who was refused sent nothing");
}

#[test]
fn most_of_a_budget_is_said_on_standard_error() {
    let sandbox = sandbox();
    let simulator = Simulator::start(&sandbox, None, None);
    let cold = cost(&run(&sandbox, &simulator, &[]).0);
    sandbox.configure(&format!("[budget]\nmonthly_usd = {}\n", cold * 5.0));
    let (result, stderr) = run(&sandbox, &simulator, &[]);
    assert_eq!(result["outcome"], "shown", "{result}");
    assert!(!stderr.contains("budget"), "far from it: {stderr}");
    sandbox.configure(&format!("[budget]\nmonthly_usd = {}\n", spent(&sandbox) * 1.2));
    let (_, stderr) = run(&sandbox, &simulator, &[]);
    assert_eq!(stderr.matches("of the budget for this month is spent").count(), 1, "{stderr}");
}

#[test]
fn a_price_that_is_not_known_is_said_and_refuses_nothing() {
    let sandbox = sandbox();
    sandbox.configure("[budget]\ndaily_usd = 0.0001\n");
    let simulator = Simulator::start(&sandbox, None, None);
    let (result, stderr) = run(&sandbox, &simulator, &["--model", "llama-9"]);
    assert_ne!(result["error"]["kind"], "budget", "{result}");
    assert!(stderr.contains("The price of llama-9 is not known"), "{stderr}");
}

#[test]
fn simulated_money_is_held_against_simulated_money() {
    let sandbox = sandbox();
    sandbox.configure("[budget]\ndaily_usd = 0.1\n");
    let simulator = Simulator::start(&sandbox, None, None);
    let output = |arguments: &[&str]| run(&sandbox, &simulator, arguments).0;
    let simulated = output(&["--simulate"]);
    assert_eq!(simulated["outcome"], "shown", "{simulated}");
    sandbox.configure(&format!("[budget]\ndaily_usd = {}\n", cost(&simulated) * 1.01));
    let refused = output(&["--simulate"]);
    assert_eq!(refused["error"]["kind"], "budget", "{refused}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("simulated budget"), "{refused}");
    sandbox.configure("[budget]\ndaily_usd = 0.1\n");
    assert_eq!(output(&[])["outcome"], "shown", "real money is another matter");
}

#[test]
fn what_a_cancelled_request_made_until_then_counts() {
    let sandbox = sandbox();
    let text = sandbox.read("inventory.py");
    let simulator = Simulator::start(&sandbox, None, Some(20));
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let job = client.run("explain", &uri, 0..text.len());
    client.first_text(&job);
    client.execute("aside.cancel", json!({"job": job})).unwrap();
    let end = client.stream_end(&job);
    client.read_all();
    let ledger = Ledger::open(&sandbox.path("data/aside/usage.sqlite3")).0;
    let attempts = ledger.attempts(None).unwrap();
    let [cut] = attempts.as_slice() else { panic!("one request: {attempts:#?}") };
    let (cost, unreported) = (cut.cost_usd.unwrap(), cut.unreported_usd.unwrap_or_default());
    let told = end["usage"]["costUsd"].as_f64().unwrap();
    assert!((told - cost).abs() < 1e-12, "the bill has what was reported: {told} of {cost}");
    assert!(cut.partial && unreported > 0.0, "{cut:?}");
    let spent = ledger.spent(cut.started, false, cut.started).unwrap().usd;
    assert!((spent - cost - unreported).abs() < 1e-12, "{spent} of {cost} and {unreported}");
}

#[test]
fn an_editor_is_told_in_messages() {
    let sandbox = sandbox();
    let text = sandbox.read("inventory.py");
    let simulator = Simulator::start(&sandbox, None, None);
    let cold = cost(&run(&sandbox, &simulator, &[]).0);
    sandbox.configure(&format!("[budget]\ndaily_usd = {}\n", cold * 1.01));
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let result = client.run_to_end("explain", &uri, 0..300);
    assert_eq!(result["outcome"], "failed", "{result}");
    assert_eq!(result["error"]["kind"], "budget", "{result}");
    let mut messages = [client.next("window/showMessage"), client.next("window/showMessage")];
    messages.sort_by_key(|message| message["type"].as_u64());
    assert!(messages[0]["message"].as_str().unwrap().contains("does not allow this"), "{messages:#?}");
    assert_eq!(messages[1]["type"], json!(2), "a warning: {messages:#?}");
    assert!(messages[1]["message"].as_str().unwrap().contains("99% of the budget for today"), "{messages:#?}");
    let again = client.run_to_end("explain", &uri, 0..300);
    assert_eq!(again["error"]["kind"], "budget");
    let message = client.next("window/showMessage");
    assert!(message["message"].as_str().unwrap().contains("does not allow this"), "the warning came once: {message}");
}
