//! What goes wrong in conversations, reviews and tools, as a terminal shows it: what is said, where, and the exit code.

use std::fs;

use crate::support::{Sandbox, Simulator};

const USE: &str = "from store import load_items\n\n\ndef report(path):\n    return len(load_items(path))\n";

/// One action on the file, as a user types it: exit code, standard output, standard error.
fn act(sandbox: &Sandbox, simulator: &Simulator, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = sandbox.aside();
    command.env("ANTHROPIC_BASE_URL", simulator.url.as_str()).env("ANTHROPIC_API_KEY", "sk-ant-test");
    let output = command.arg("act").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("pyproject.toml", "[project]\nname = \"x\"\n");
    sandbox.write("use.py", USE);
    sandbox
}

const ASK: [&str; 4] = ["ask", "use.py:4", "--prompt", "What does it do?"];

#[test]
fn tools_and_findings_that_fail_are_told_in_a_terminal() {
    let list = "{ name = \"list_files\" }";
    let finding = |fields: &str| format!("{{ name = \"report_finding\", input = {{ {fields} }} }}");
    let malformed = format!(
        "[[step]]\nanswer = \"Let me see.\"\ntool_calls = [{}, {}, {}]\n[[step]]\nanswer = \"It could be worse.\"\n",
        finding("start_line = 400, end_line = 4, severity = \"error\", category = \"x\", message = \"Far away.\""),
        finding("what = 1"),
        finding("start_line = 5, end_line = 5, severity = \"hint\", category = \"fine\", message = \"Here.\""),
    );
    for (what, scenario, arguments, code, out, err) in [
        (
            "a tool that fails",
            "[[step]]\ntool_calls = [{ name = \"read_file\", input = { path = \"../secret\" } }, { name = \"nonsense\" }]\n\
             [[step]]\nmatch = { text = \"is outside of the project\" }\nanswer = \"It loads.\"\n"
                .to_owned(),
            &ASK[..],
            0,
            "It loads.",
            "Explained",
        ),
        (
            "tools without end",
            format!("[[step]]\ntimes = \"always\"\ntool_calls = [{list}]\n"),
            &ASK[..],
            1,
            "",
            "error: The model used tools 8 times in a row and gave no answer.",
        ),
        (
            "too many calls at once",
            format!("[[step]]\ntool_calls = [{}]\n[[step]]\nanswer = \"Enough.\"\n", [list; 30].join(", ")),
            &ASK[..],
            0,
            "Enough.",
            "Explained",
        ),
        (
            "findings that are none",
            malformed,
            &["review", "use.py:4"][..],
            0,
            "use.py:5: hint [fine] Here.",
            "2 findings were not in order and left out",
        ),
        (
            "a review that is cut",
            "[[step]]\nanswer = \"Let me\"\nstop_reason = \"max_tokens\"\n".to_owned(),
            &["review", "use.py:4"][..],
            0,
            "",
            "may lack findings",
        ),
    ] {
        let sandbox = sandbox();
        let simulator = Simulator::start(&sandbox, Some(&scenario), None);
        let (ended, stdout, stderr) = act(&sandbox, &simulator, arguments);
        assert_eq!(ended, Some(code), "{what}: {stderr}");
        assert!(stdout.contains(out), "{what}: {stdout}");
        assert!(stderr.contains(err), "{what}: {stderr}");
        assert_eq!(sandbox.read("use.py"), USE, "{what}");
    }
}

#[test]
fn a_conversation_whose_document_was_edited_or_is_gone_goes_on_in_a_terminal() {
    let sandbox = sandbox();
    let answers = "[[step]]\nmatch = { action = \"follow-up\", text = \"sum(1 for\" }\nanswer = \"You changed it since.\"\n\
                   [[step]]\nmatch = { action = \"follow-up\", text = 'now=\"deleted\"/>' }\nanswer = \"It is gone.\"\n";
    let simulator = Simulator::start(&sandbox, Some(answers), None);
    let (code, _, stderr) = act(&sandbox, &simulator, &["explain", "use.py:4"]);
    assert_eq!(code, Some(0), "{stderr}");
    sandbox.write("use.py", USE.replace("len(load_items(path))", "sum(1 for _ in load_items(path))"));
    let asked = |question: &str| {
        let (code, stdout, stderr) = act(&sandbox, &simulator, &["follow-up", "--prompt", question]);
        assert_eq!(code, Some(0), "{stderr}");
        stdout
    };
    assert_eq!(asked("Is that still so?"), "You changed it since.\n");
    fs::remove_file(sandbox.workspace().join("use.py")).unwrap();
    assert_eq!(asked("And now?"), "It is gone.\n");
}
