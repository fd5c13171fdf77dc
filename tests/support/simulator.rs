//! `aside simulate` as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use url::Url;

use super::{Sandbox, http};

/// Ended when dropped.
pub(crate) struct Simulator {
    child: Child,
    pub(crate) url: Url,
}

impl Simulator {
    /// Starts on a free port; `scenario` is the text of a scenario file, `speed` in tokens a second.
    pub(crate) fn start(sandbox: &Sandbox, scenario: Option<&str>, speed: Option<u32>) -> Self {
        let mut command = Self::command(sandbox);
        if let Some(scenario) = scenario {
            command.arg("--scenario").arg(sandbox.write("../scenario.toml", scenario));
        }
        if let Some(speed) = speed {
            command.args(["--speed", &speed.to_string()]);
        }
        Self::spawn(command)
    }

    /// Starts one that knows nothing but messages.
    pub(crate) fn plain(sandbox: &Sandbox) -> Self {
        let mut command = Self::command(sandbox);
        command.arg("--plain");
        Self::spawn(command)
    }

    fn command(sandbox: &Sandbox) -> Command {
        let mut command = sandbox.aside();
        command.args(["simulate", "--port", "0"]);
        command
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = String::new();
        let url = loop {
            let Some(Ok(line)) = lines.next() else {
                let mut stderr = String::new();
                child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
                panic!("the simulator names no address: {said}\n{stderr}");
            };
            if let Some(at) = line.find("http://127.0.0.1:") {
                let end = line[at..].find(|c: char| c.is_whitespace()).map_or(line.len(), |length| at + length);
                break Url::parse(&line[at..end]).unwrap();
            }
            said += &line;
        };
        // What it says later is nobody's business here, but a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let mut stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self { child, url }
    }

    /// What it counted so far, request by request.
    pub(crate) fn account(&self) -> Value {
        http::get_json(&self.url, "/__simulator/account")
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
