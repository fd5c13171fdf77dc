use super::{LEFT_OUT, Whole, beginning, find};

/// What is found in a text, with its kind.
fn found(text: &str) -> Vec<(&str, &'static str)> {
    find(text).into_iter().map(|secret| (&text[secret.span], secret.kind)).collect()
}

/// A value that nobody has, and no scanner knows.
fn random(length: usize) -> String {
    "k7Qp2Xv9Zt4Lm8Rw3Yb6Nc1Hd5Jf0Gs".chars().cycle().take(length).collect()
}

#[test]
fn values_of_telling_names_in_many_languages() {
    let value = random(24);
    for line in [
        "api_key = 'VALUE'",
        "const apiKey: string = \"VALUE\";",
        "let token: &'static str = \"VALUE\";",
        "{\"client_secret\": \"VALUE\"}",
        "\"client_secret\":\"VALUE\"",
        "os.environ[\"AUTH_TOKEN\"] = \"VALUE\"",
        "setenv(\"ACCESS_TOKEN\", \"VALUE\", 1);",
        "'token' => 'VALUE',",
        ":secret => \"VALUE\"",
        "export API_TOKEN=VALUE",
        "api-key: VALUE",
        "<ApiKey>VALUE</ApiKey>",
        "<add key=\"ApiKey\" value=\"VALUE\" />",
        "Authorization: Bearer VALUE",
        "headers: { Authorization: `Bearer VALUE` }",
        "curl --token VALUE https://x.test",
        "GET /v1?api_key=VALUE&limit=3",
        "secret := \"VALUE\"",
        "if token == \"VALUE\" {",
        "token = b\"VALUE\"",
        "body = \"{\\\"token\\\": \\\"VALUE\\\"}\"",
        "api_key = \"\"\"VALUE\"\"\"",
        "secret =\n    \"VALUE\"",
    ] {
        let text = line.replace("VALUE", &value);
        let found = found(&text);
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert_eq!(found[0].0, value, "{line}");
    }
}

#[test]
fn passwords_are_shorter_and_may_be_anything() {
    for (text, password) in [
        ("password = \"hunter2\"", "hunter2"),
        ("PASSWORD: 'Tr0ub4dor&3'", "Tr0ub4dor&3"),
        ("db_pwd=s3cr3tvalue", "s3cr3tvalue"),
        ("passphrase: \"x!y@zq\"", "x!y@zq"),
        ("postgres://app:vK3x-9pQ@db.internal:5432/app", "vK3x-9pQ"),
        ("mongodb+srv://root:p%40ssw0rd@c.example.net/", "p%40ssw0rd"),
        ("url = \"redis://:tok3nvalue@cache:6379\"", "tok3nvalue"),
        ("amqp://user:a/b@c@host/", "a/b@c"),
    ] {
        assert_eq!(found(text).first().map(|it| it.0), Some(password), "{text}");
    }
}

#[test]
fn what_only_speaks_of_secrets_is_left_alone() {
    for text in [
        "password = \"\"",
        "password = os.environ[\"DB_PASSWORD\"]",
        "password = \"${DB_PASSWORD}\"",
        "password: {{ db_password }}",
        "password: \"<your password>\"",
        "password = \"changeme\"",
        "password = \"password123\"",
        "const token = tokens[index + 1].value;",
        "token_type: \"refresh_token_v2\"",
        "let key = \"workspace/symbol\";",
        "key: \"editor.action.clipboardCopyAction\"",
        "author = \"Ada Lovelace 1815\"",
        "monkey = \"k7Qp2Xv9Zt4Lm8Rw3Yb6Nc1H\"",
        "public_key = \"k7Qp2Xv9Zt4Lm8Rw3Yb6Nc1H\"",
        "token_expires: \"2026-01-01T00:00:00Z\"",
        "cipher_key = \"AES-256-GCM-SHA384\"",
        "http://localhost:8080/a@b",
        "https://user:password@host/",
        "postgres://postgres:postgres@localhost/db",
        "https://example.test/path:with@sign",
        "git@github.test:team/project.git",
        "api_key = \"xxxxxxxxxxxxxxxxxxxxxxxx\"",
        "return fail(\"the password has fewer than 8 letters\")",
        "-----BEGIN CERTIFICATE-----\nTUlJQ2VqQ0NBZU1DQVFBd0RRWUpLb1pJaHZjTkFRRUw=\n-----END CERTIFICATE-----",
        "kind: SecretStore\nspec:\n  data:\n    value: c29tZXRoaW5nZWxzZQ==\n",
        "kind: ConfigMap\ndata:\n  name: c29tZXRoaW5nZWxzZQ\n",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn a_private_key_keeps_its_lines() {
    let body = random(64);
    for (before, after) in [("", ""), ("    ", ""), ("    \"", "\\n\" +"), ("12 | ", "")] {
        let text = format!(
            "{before}-----BEGIN EC PRIVATE KEY-----{after}\n{before}{body}{after}\n{before}{body}{after}\n{before}-----END EC PRIVATE KEY-----{after}\n"
        );
        let found = found(&text);
        assert_eq!(found, [(body.as_str(), "private key"); 2], "{text}");
    }
    // Cut off, as at the end of an excerpt.
    let text = format!(
        "-----BEGIN PRIVATE KEY-----\n{body}\n\nfn main() {{}}\nlet averyverylongnamethatlookslikebase64butisnot = 1;\n"
    );
    assert_eq!(found(&text), [(body.as_str(), "private key")]);
}

#[test]
fn a_value_that_is_too_long_is_taken_whole() {
    let token = format!("ghp_{}", random(50));
    assert_eq!(found(&format!("x = \"{token}\"")), [(token.as_str(), "GitHub token")]);
}

#[test]
fn a_piece_does_not_show_what_only_the_whole_tells_to_be_a_secret() {
    let body = random(64);
    let key = format!("K = '-----BEGIN EC PRIVATE KEY-----\n{body}\n{body}\n-----END EC PRIVATE KEY-----'\nend = 1\n");
    let manifest = "kind: Secret\nmetadata:\n  name: db\ndata:\n  user: aHVudGVyMjcxMQ==\n";
    let token = format!("token = \"ghp_{}\"\n", random(36));
    let piece = |text: &str, from: &str, to: &str| {
        let start = text.find(from).unwrap();
        let end = start + text[start..].find(to).unwrap() + to.len();
        Whole::of(text, true).piece(start..end).into_owned()
    };
    // The marks are not in the piece.
    let rest = format!("{LEFT_OUT}\n-----END EC PRIVATE KEY-----'\nend");
    assert_eq!(piece(&key, &format!("{body}\n-"), "end"), rest);
    assert_eq!(piece(manifest, "  user", "==\n"), format!("  user: {LEFT_OUT}\n"));
    // Half of it is.
    assert_eq!(piece(&token, "token", "ghp_k7Qp"), format!("token = \"{LEFT_OUT}"));
    assert_eq!(piece(&token, "Qp2Xv9", "\"\n"), format!("{LEFT_OUT}\"\n"));
    // What tells by itself is the gate's, which gives it back.
    for text in [key.as_str(), manifest, token.as_str()] {
        assert_eq!(Whole::of(text, true).piece(0..text.len()), text);
    }
    assert_eq!(piece(&key, "end", "1"), "end = 1");
    assert_eq!(Whole::of(manifest, false).piece(40..manifest.len()), &manifest[40..], "nobody asked for it");
}

#[test]
fn the_beginning_of_a_line_has_no_half_secret() {
    let line = format!("let αβ = \"ghp_{}\"; // and so on", random(36));
    for most in 0..line.chars().count() + 2 {
        let begun = beginning(&line, most);
        assert!(line.starts_with(begun) && begun.chars().count() <= most, "{most}: {begun}");
        assert!(!begun.contains("ghp_") || begun.contains(&random(36)), "{most}: {begun}");
    }
    assert_eq!(beginning("αβγδ", 3), "αβγ");
}

#[test]
fn any_text_can_be_looked_through() {
    use proptest::prelude::*;
    let piece = prop_oneof![
        Just("password".to_owned()),
        Just("token: ".to_owned()),
        Just("=\"".to_owned()),
        Just("://".to_owned()),
        Just("-----BEGIN PRIVATE KEY-----".to_owned()),
        Just("-----END".to_owned()),
        Just("kind: Secret\ndata:\n".to_owned()),
        Just("curl -u a:".to_owned()),
        Just("q~".to_owned()),
        Just("_mmk".to_owned()),
        Just(".atlasv1.".to_owned()),
        "[\\PC\n]{0,12}",
        "[A-Za-z0-9\\\\\"'@:/]{0,40}",
    ];
    proptest!(|(pieces in proptest::collection::vec(piece, 0..24))| {
        let text = pieces.concat();
        let mut end = 0;
        for secret in find(&text) {
            prop_assert!(secret.span.start >= end && !secret.span.is_empty());
            prop_assert!(!text[secret.span.clone()].contains('\n'));
            end = secret.span.end;
        }
        let whole = Whole::of(&text, true);
        let mut at = text.len() / 3;
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let lines = |text: &str| text.matches('\n').count();
        prop_assert_eq!(lines(&whole.piece(0..at)) + lines(&whole.piece(at..text.len())), lines(&text));
    });
}
