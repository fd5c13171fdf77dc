use super::*;

#[test]
fn creates_below_the_root_and_never_overwrites() {
    let root = tempfile::tempdir().expect("a folder");
    let path = root.path().join("tests/deep/test_a.py");
    create_file(&path, root.path(), "one\n").expect("it is new");
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "one\n");
    assert!(create_file(&path, root.path(), "two\n").is_err());
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "one\n");
    let out = create_file(&root.path().join("../escaped.py"), root.path(), "");
    assert_eq!(out.expect_err("it is outside").kind, ErrorKind::Excluded);
}

#[test]
fn replaces_only_the_expected_text() {
    let root = tempfile::tempdir().expect("a folder");
    let path = root.path().join("a.py");
    std::fs::write(&path, "one\n").expect("it is written");
    replace_file(&path, "one\n", "two\n").expect("it is as expected");
    let both = [replace_file(&path, "one\n", "three\n"), replace_below(&path, root.path(), "one\n", "three\n")];
    for result in both {
        assert_eq!(result.expect_err("it was changed").kind, ErrorKind::Conflict);
    }
    replace_below(&path, root.path(), "two\n", "four\n").expect("it is as expected");
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "four\n");
    let names = std::fs::read_dir(root.path()).expect("a folder").count();
    assert_eq!(names, 1, "nothing is left beside it");
}

#[test]
fn what_runs_or_is_obeyed_is_not_written() {
    let root = tempfile::tempdir().expect("a folder");
    for path in
        [".git/hooks/pre-commit", ".aside/config.toml", ".github/workflows/x.yml", "Makefile", ".vscode/tasks.json"]
    {
        let path = root.path().join(path);
        for result in [
            guard(&path, root.path()),
            create_file(&path, root.path(), ""),
            create_folder(&path, root.path()),
            replace_below(&path, root.path(), "", ""),
        ] {
            let error = result.expect_err("it is protected");
            assert_eq!(error.kind, ErrorKind::Excluded, "{error}");
        }
        assert!(!path.exists() && std::fs::read_dir(root.path()).expect("a folder").count() == 0, "{}", path.display());
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn follows_no_link_out_of_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let (root, elsewhere) = (folder.path().join("w"), folder.path().join("elsewhere"));
        fs::create_dir_all(root.join("src")).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("test_b.py"), "theirs\n").unwrap();
        fs::create_dir(root.join(".git")).unwrap();
        symlink(&elsewhere, root.join("tests")).unwrap();
        symlink(elsewhere.join("test_b.py"), root.join("src/test_b.py")).unwrap();
        symlink(elsewhere.join("new.py"), root.join("src/test_new.py")).unwrap();
        symlink(".git", root.join("hooks")).unwrap();
        symlink("/dev/null", root.join("src/test_null.py")).unwrap();
        for path in [
            "tests/new/test_a.py",
            "tests/test_b.py",
            "src/test_b.py",
            "src/test_new.py",
            "hooks/x.py",
            "src/test_null.py",
        ] {
            let path = root.join(path);
            for result in [
                guard(&path, &root),
                create_file(&path, &root, "x"),
                create_folder(&path, &root),
                replace_below(&path, &root, "theirs\n", "x"),
            ] {
                assert!(result.is_err(), "{}", path.display());
            }
        }
        assert_eq!(fs::read_to_string(elsewhere.join("test_b.py")).unwrap(), "theirs\n");
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
        assert_eq!(fs::read_dir(root.join(".git")).unwrap().count(), 0);
    }

    #[test]
    fn a_link_within_the_workspace_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("w");
        fs::create_dir_all(root.join("packages/a/tests")).unwrap();
        fs::write(root.join("packages/a/tests/test_a.py"), "one\n").unwrap();
        symlink("packages/a/tests", root.join("tests")).unwrap();
        symlink("packages/a/tests/test_a.py", root.join("test_a.py")).unwrap();
        // The workspace itself may be reached through one.
        let by_link = folder.path().join("link");
        symlink(&root, &by_link).unwrap();
        replace_below(&by_link.join("test_a.py"), &by_link, "one\n", "two\n").unwrap();
        replace_below(&by_link.join("tests/test_a.py"), &by_link, "two\n", "three\n").unwrap();
        create_file(&by_link.join("tests/new/test_b.py"), &by_link, "b\n").unwrap();
        assert!(root.join("test_a.py").is_symlink());
        assert_eq!(fs::read_to_string(root.join("packages/a/tests/test_a.py")).unwrap(), "three\n");
        assert_eq!(fs::read_to_string(root.join("packages/a/tests/new/test_b.py")).unwrap(), "b\n");
    }

    #[test]
    fn nothing_becomes_executable_and_what_is_stays_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        let mode = |name: &str| fs::metadata(root.path().join(name)).unwrap().permissions().mode() & 0o777;
        create_file(&root.path().join("test_new.sh"), root.path(), "#!/bin/sh\n").unwrap();
        assert_eq!(mode("test_new.sh") & 0o111, 0);
        for (name, text, bits) in
            [("run.sh", "#!/bin/sh\nls\n", 0o755), ("plain.py", "x = 1\n", 0o755), ("own.py", "x = 1\n", 0o600)]
        {
            fs::write(root.path().join(name), text).unwrap();
            fs::set_permissions(root.path().join(name), Permissions::from_mode(bits)).unwrap();
        }
        let error =
            replace_below(&root.path().join("run.sh"), root.path(), "#!/bin/sh\nls\n", "#!/bin/sh\nrm\n").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Excluded, "{error}");
        // Some file systems call everything executable.
        replace_below(&root.path().join("plain.py"), root.path(), "x = 1\n", "x = 2\n").unwrap();
        replace_below(&root.path().join("own.py"), root.path(), "x = 1\n", "x = 2\n").unwrap();
        assert_eq!((mode("plain.py"), mode("own.py")), (0o755, 0o600));
    }

    #[test]
    fn a_hard_link_from_elsewhere_is_cut_and_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("w");
        fs::create_dir(&root).unwrap();
        fs::write(folder.path().join("theirs"), "one\n").unwrap();
        fs::hard_link(folder.path().join("theirs"), root.join("test_a.py")).unwrap();
        replace_below(&root.join("test_a.py"), &root, "one\n", "two\n").unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("theirs")).unwrap(), "one\n");
    }

    /// Somebody puts a link in the way of the writing, and takes it away, as often as they can.
    #[test]
    fn no_link_put_there_meanwhile_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (root, elsewhere) = (folder.path().join("w"), folder.path().join("elsewhere"));
        fs::create_dir_all(root.join("kept")).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("old.py"), "old\n").unwrap();
        fs::write(root.join("kept/old.py"), "old\n").unwrap();
        let end = AtomicBool::new(false);
        let mut made = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let tests = root.join("tests");
                while !end.load(Ordering::Relaxed) {
                    let _ = symlink(&elsewhere, &tests);
                    let _ = fs::remove_file(&tests);
                    let _ = fs::rename(root.join("kept"), &tests);
                    let _ = fs::rename(&tests, root.join("kept"));
                }
            });
            for number in 0..3000 {
                let name = format!("tests/test_{number}.py");
                made += usize::from(create_file(&root.join(name), &root, "x").is_ok());
                made += usize::from(replace_below(&root.join("tests/old.py"), &root, "old\n", "old\n").is_ok());
                assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1, "round {number}");
            }
            end.store(true, Ordering::Relaxed);
        });
        assert!(made > 0, "the writing had its moments, too");
    }
}
