use std::fs;

use super::*;
use crate::config::Environment;

struct Home {
    folder: tempfile::TempDir,
    paths: Paths,
}

impl Home {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let variables = [("ASIDE_CONFIG", at("config/config.toml")), ("ASIDE_DATA_DIR", at("data"))];
        let paths = Paths::new(&Environment::from_pairs(variables.iter().map(|(key, value)| (*key, value.as_str()))));
        let home = Self { folder, paths };
        fs::create_dir_all(home.root()).unwrap();
        for (path, text) in files {
            home.write(path, text);
        }
        home
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("w")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn folders(&self) -> Folders {
        Folders::new(&self.paths, Some(&self.root()))
    }

    /// What runs, what waits, and what is wrong.
    fn told(&self) -> (String, String, String) {
        let loaded = self.folders().load();
        let ids = |actions: &[Arc<Action>]| {
            let own = actions.iter().filter(|action| action.custom.is_some());
            own.map(|action| action.id.as_ref()).collect::<Vec<_>>().join(" ")
        };
        let wrong = loaded.files.iter().flat_map(|file| &file.problems).map(|problem| problem.message.as_str());
        (ids(loaded.catalogue.actions()), ids(loaded.catalogue.waiting()), wrong.collect::<Vec<_>>().join("; "))
    }
}

const ACTION: &str = "---\ntitle: x\n---\nDo it.\n";

#[test]
fn a_workspaces_actions_wait_for_the_users_word_about_their_content() {
    let home = Home::new(&[("config/actions/mine.md", ACTION), ("w/.aside/actions/theirs.md", ACTION)]);
    let expect =
        |own: &str, waiting: &str| assert_eq!(home.told(), (own.to_owned(), waiting.to_owned(), String::new()));
    expect("mine", "theirs");
    let error = home.folders().load().catalogue.find("theirs").unwrap_err();
    assert!(error.sentence().contains("aside config trust") && error.sentence().contains("theirs.md"), "{error}");
    let loaded = home.folders().load();
    home.write("w/.aside/actions/theirs.md", "---\ntitle: x\n---\nDo something else.\n");
    // What is allowed is what was read, whatever the file says by now.
    home.folders().allow(loaded.catalogue.waiting()).unwrap();
    expect("mine", "theirs");
    home.write("w/.aside/actions/theirs.md", ACTION);
    expect("mine theirs", "");
    home.write("w/.aside/actions/copy.md", ACTION);
    expect("mine theirs", "copy");
}

#[test]
fn the_users_own_counts_and_files_have_limits() {
    let long = format!("---\ntitle: x\n---\n{}", "x".repeat(33 * 1024));
    let home = Home::new(&[
        ("config/actions/same.md", ACTION),
        ("w/.aside/actions/same.md", ACTION),
        ("w/.aside/actions/explain.md", ACTION),
        ("w/.aside/actions/long.md", &long),
        ("w/.aside/actions/README.md", "About this folder."),
        ("w/.aside/actions/.hidden.md", "x"),
        ("w/.aside/actions/notes.txt", "x"),
    ]);
    fs::write(home.root().join(".aside/actions/latin.md"), b"---\n---\n\xe9").unwrap();
    let (own, waiting, wrong) = home.told();
    assert_eq!((own.as_str(), waiting.as_str()), ("same", ""));
    assert_eq!(
        wrong,
        "`explain` is an action of Aside's own; give the file another name; this file is not UTF-8; an action has at \
         most 32 KB; what is longer belongs to `.aside/rules.md`; you have an action `same` of your own, which counts"
    );
    for number in 0..200 {
        home.write(&format!("w/.aside/actions/n{number:03}.md"), ACTION);
    }
    let loaded = home.folders().load();
    assert!(loaded.catalogue.waiting().len() <= MAX_FILES && loaded.files.len() <= 2 * (MAX_FILES + 1));
}

#[cfg(unix)]
#[test]
fn no_link_out_of_the_workspace_is_followed() {
    let home = Home::new(&[("secret.md", ACTION), ("w/.aside/actions/a.md", ACTION), ("w/docs/in.md", ACTION)]);
    let actions = home.root().join(".aside/actions");
    std::os::unix::fs::symlink("../../../secret.md", actions.join("out.md")).unwrap();
    std::os::unix::fs::symlink("../../docs/in.md", actions.join("within.md")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", actions.join("zero.md")).unwrap();
    fs::create_dir(actions.join("folder.md")).unwrap();
    let (own, waiting, wrong) = home.told();
    assert_eq!((own.as_str(), waiting.as_str()), ("", "a within"));
    assert_eq!(wrong.matches("a link out of the workspace").count(), 2, "{wrong}");
    assert!(wrong.contains("not a file"), "{wrong}");
    fs::rename(&actions, home.folder.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(home.folder.path().join("elsewhere"), &actions).unwrap();
    assert_eq!(home.told().1, "");
}

#[test]
fn a_stamp_tells_of_changes() {
    let home = Home::new(&[("w/.aside/actions/a.md", ACTION)]);
    let first = home.folders().stamp();
    assert_eq!(home.folders().stamp(), first);
    home.write("w/.aside/actions/a.md", "---\ntitle: y\n---\nDo something else.\n");
    let second = home.folders().stamp();
    home.write("config/actions/b.md", ACTION);
    let third = home.folders().stamp();
    home.folders().allow(home.folders().load().catalogue.waiting()).unwrap();
    let fourth = home.folders().stamp();
    fs::remove_file(home.root().join(".aside/actions/a.md")).unwrap();
    let all = [first, second, third, fourth, home.folders().stamp()];
    for (index, one) in all.iter().enumerate() {
        assert!(all[index + 1..].iter().all(|other| other != one), "{index}");
    }
}

#[test]
fn the_configuration_folder_opened_as_a_workspace_has_its_actions_once() {
    let home = Home::new(&[("w/.aside/actions/a.md", ACTION)]);
    let config = home.root().join(".aside/config.toml");
    let paths = Paths::new(&Environment::from_pairs([("ASIDE_CONFIG", config.to_str().unwrap())]));
    let loaded = Folders::new(&paths, Some(&home.root())).load();
    assert_eq!(loaded.files.len(), 1);
    assert_eq!(loaded.catalogue.find("a").unwrap().custom.as_ref().map(|own| own.origin), Some(Origin::User));
}
