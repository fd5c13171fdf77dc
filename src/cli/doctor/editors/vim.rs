//! Vim: ALE's linters in a `vimrc`, and coc's `coc-settings.json`.

use std::path::Path;

use serde_json::Value;

use super::{Editor, Findings, Home, Status, at, is_aside, others, place};

const VIM: Editor = Editor::Vim;

pub(super) fn look(home: &Home<'_>, findings: &mut Findings) {
    let files = [
        home.at(".vimrc"),
        home.at(".vim/vimrc"),
        home.config("vim/vimrc"),
        home.at(".vim/plugin/aside.vim"),
        home.at(".vim/after/plugin/aside.vim"),
    ];
    for path in files.into_iter().flatten() {
        let Some(text) = findings.read(VIM, home, &path) else { continue };
        findings.present = true;
        ale(home, findings, &path, &text);
    }
    for path in [home.at(".vim/coc-settings.json"), home.config("vim/coc-settings.json")].into_iter().flatten() {
        coc(home, findings, &path);
    }
}

/// The lines of a script as Vim takes them: without comments, each with what continues it, and with its place.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let code = line.trim();
        match (code.strip_prefix('\\'), lines.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ if code.starts_with('"') => {}
            _ => lines.push((offset, code.to_owned())),
        }
        offset += line.len();
    }
    lines
}

fn ale(home: &Home<'_>, findings: &mut Findings, path: &Path, text: &str) {
    let lines = lines(text);
    let linters = lines.iter().find(|(_, line)| line.contains("ale_linters ") || line.contains("ale_linters="));
    for (offset, line) in &lines {
        let Some(define) = line.find("ale#linter#Define(").map(|start| &line[start..]) else { continue };
        let words: Vec<&str> = define.split(['\'', '"']).skip(1).step_by(2).collect();
        if !words.contains(&"aside") {
            continue;
        }
        findings.set_up = true;
        let here = at(path, place(text, *offset));
        let before = findings.checks.len();
        for key in ["lsp", "project_root"].into_iter().filter(|key| !words.contains(key)) {
            findings.say(VIM, Status::Failed, format!("{here}: ALE starts no server without `{key}`")).snippet =
                VIM.snippet();
        }
        let value = |key: &str| words.iter().position(|word| *word == key).and_then(|at| words.get(at + 1)).copied();
        let args = value("command").map(|command| command.split_whitespace().skip(1).collect::<Vec<_>>());
        findings.command(VIM, home, &here, value("executable").unwrap_or("aside"), args.as_deref());
        let language = words[0];
        if let Some((_, list)) = linters
            && list.contains(&format!("'{language}'"))
            && !list.contains("aside")
        {
            let message = format!("{here}: `g:ale_linters` does not name `aside` for {language}, so it never starts");
            findings.say(VIM, Status::Failed, message).advice =
                Some(format!("Add it there: `'{language}': ['aside']`."));
        }
        let options = words.contains(&"assumeApply").then(|| serde_json::json!({"edits": {"assumeApply": true}}));
        let advice = "Add `'initialization_options': {'edits': {'assumeApply': v:true}}` to it.";
        findings.takes_edits((VIM, "ALE"), home, options.as_ref(), advice);
        if findings.checks.len() == before {
            findings.say(VIM, Status::Ok, format!("set up for {language}, with ALE"));
        }
    }
}

fn coc(home: &Home<'_>, findings: &mut Findings, path: &Path) {
    if !path.is_file() {
        return;
    }
    let Some(settings) = others::read(home, findings, VIM, path) else { return };
    let here = path.display().to_string();
    for server in
        settings.get("languageserver").and_then(Value::as_object).into_iter().flatten().map(|(_, server)| server)
    {
        let Some(program) = server.get("command").and_then(Value::as_str).filter(|program| is_aside(program)) else {
            continue;
        };
        findings.set_up = true;
        let before = findings.checks.len();
        let args = server.get("args").and_then(Value::as_array).into_iter().flatten();
        findings.command(VIM, home, &here, program, Some(&args.filter_map(Value::as_str).collect::<Vec<_>>()));
        let languages: Vec<&str> =
            server.get("filetypes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if languages.is_empty() {
            findings
                .say(VIM, Status::Failed, format!("{here}: `filetypes` is missing, so coc never starts it"))
                .advice = Some("Such as `\"filetypes\": [\"python\"]`.".to_owned());
        }
        for section in ["initializationOptions", "settings"] {
            if let Some(options) = server.get(section) {
                findings.settings(VIM, &here, options, false);
            }
        }
        if findings.checks.len() == before {
            findings.say(VIM, Status::Ok, format!("set up for {}, with coc", languages.join(", ")));
        }
    }
}
