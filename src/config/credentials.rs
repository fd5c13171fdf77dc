//! How to sign in: `ANTHROPIC_API_KEY`, else `ANTHROPIC_AUTH_TOKEN`, else what `api.key_command` prints, else, where Aside was
//! built with the feature `keyring`, what the system's keyring holds.
//!
//! A secret is trimmed, checked and wrapped at once; no message here ever holds a part of one.

#[cfg(feature = "keyring")]
mod keyring;

use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::AsyncReadExt;

use super::{Environment, Settings};
use crate::claude::Auth;
use crate::error::{Error, ErrorKind};

/// How long `api.key_command` may take. Long enough for a fingerprint, short enough for a terminal.
const KEY_COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// No key is longer; what is, is somebody's whole password file.
const MAX_KEY_BYTES: u64 = 16 * 1024;

/// The credentials that the environment or the configuration names.
///
/// # Errors
/// [`ErrorKind::Credentials`] when there are none, when `api.key_command` fails, and when a secret cannot be a header.
pub async fn credentials(settings: &Settings, env: &Environment) -> Result<Auth, Error> {
    if let Some(key) = env.get("ANTHROPIC_API_KEY") {
        return Ok(Auth::ApiKey(secret(key, "$ANTHROPIC_API_KEY")?));
    }
    if let Some(token) = env.get("ANTHROPIC_AUTH_TOKEN") {
        return Ok(Auth::Token(secret(token, "$ANTHROPIC_AUTH_TOKEN")?));
    }
    if let Some(argv) = settings.api.key_command.as_deref() {
        return Ok(Auth::ApiKey(from_command(argv, KEY_COMMAND_LIMIT).await?));
    }
    #[cfg(feature = "keyring")]
    if let Some(key) = keyring::from_keyring(keyring::ask, KEY_COMMAND_LIMIT).await? {
        return Ok(Auth::ApiKey(key));
    }
    let error = Error::new(ErrorKind::Credentials, "There is no API key.");
    let is_local = super::base_url::is_loopback(&settings.api.base_url);
    Err(error.hint(if is_local {
        "Set ANTHROPIC_API_KEY (a server on this machine mostly takes any value), or run with --simulate, which needs none."
    } else {
        "Set ANTHROPIC_API_KEY in the environment (or `api.key_command` in your configuration), or run with --simulate to \
         try Aside without an account."
    }))
}

/// The headers of `ANTHROPIC_CUSTOM_HEADERS`, one `Name: value` a line; lines that are no header are left out.
pub fn custom_headers(env: &Environment) -> Vec<(String, String)> {
    let lines = env.get("ANTHROPIC_CUSTOM_HEADERS").unwrap_or_default().lines();
    lines.filter_map(header).collect()
}

/// How many lines of `ANTHROPIC_CUSTOM_HEADERS` are no header. Their text may be a secret, so only the number is told.
pub fn bad_custom_headers(env: &Environment) -> usize {
    let lines = env.get("ANTHROPIC_CUSTOM_HEADERS").unwrap_or_default().lines();
    lines.filter(|line| !line.trim().is_empty() && header(line).is_none()).count()
}

fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let (name, value) = (name.trim(), value.trim());
    http::HeaderName::try_from(name).ok()?;
    http::HeaderValue::try_from(value).ok()?;
    Some((name.to_owned(), value.to_owned()))
}

fn secret(text: &str, origin: &str) -> Result<SecretString, Error> {
    let text = text.trim();
    let wrong = |what: &str| {
        Error::new(ErrorKind::Credentials, format!("{origin} {what}, so it is no key."))
            .hint("A key is one word of letters, digits and dashes.")
    };
    if text.is_empty() {
        return Err(wrong("is empty"));
    }
    if text.lines().count() > 1 {
        return Err(wrong("has more than one line"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("has white space or special characters in it"));
    }
    Ok(SecretString::from(text))
}

async fn from_command(argv: &[String], limit: Duration) -> Result<SecretString, Error> {
    let failed = |message: String| Error::new(ErrorKind::Credentials, message);
    let Some((program, arguments)) = argv.split_first() else {
        return Err(failed("`api.key_command` is empty.".into()));
    };
    // Its standard error is not shown: nobody knows what such a program says there.
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            let message = format!("`api.key_command` cannot start `{program}`: {error}.");
            failed(message).hint(
                "It is a program and its arguments, as in [\"pass\", \"show\", \"anthropic\"]; there is no shell.",
            )
        })?;
    let output = child.stdout.take();
    let work = async {
        let mut text = Vec::new();
        if let Some(output) = output {
            output.take(MAX_KEY_BYTES).read_to_end(&mut text).await?;
        }
        Ok::<_, std::io::Error>((text, child.wait().await?))
    };
    let by_hand = |error: Error| error.hint(format!("Run `{program}` by hand to see what it says."));
    let (text, status) = match tokio::time::timeout(limit, work).await {
        Err(_) => {
            let message = format!("`api.key_command` (`{program}`) gave no key within {} seconds.", limit.as_secs());
            return Err(by_hand(failed(message)));
        }
        Ok(Err(error)) => return Err(failed(format!("`api.key_command` (`{program}`) could not be read: {error}."))),
        Ok(Ok(done)) => done,
    };
    if !status.success() {
        return Err(by_hand(failed(format!("`api.key_command` (`{program}`) failed with {status}."))));
    }
    let text = std::str::from_utf8(&text).map_err(|_| failed(format!("What `{program}` printed is not text.")))?;
    secret(text, &format!("What `api.key_command` (`{program}`) printed"))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn settings(argv: &[&str]) -> Settings {
        let mut settings = Settings::default();
        settings.api.key_command = Some(argv.iter().map(ToString::to_string).collect());
        settings
    }

    async fn outcome(settings: &Settings, pairs: &[(&str, &str)]) -> Result<String, Error> {
        match credentials(settings, &Environment::from_pairs(pairs.iter().copied())).await? {
            Auth::ApiKey(key) => Ok(format!("key {}", key.expose_secret())),
            Auth::Token(token) => Ok(format!("token {}", token.expose_secret())),
        }
    }

    #[tokio::test]
    async fn order_of_the_ways_to_sign_in() {
        let (key, token) = (("ANTHROPIC_API_KEY", " k\n"), ("ANTHROPIC_AUTH_TOKEN", "t"));
        let none = Settings::default();
        assert_eq!(outcome(&none, &[key, token]).await.unwrap(), "key k");
        assert_eq!(outcome(&none, &[("ANTHROPIC_API_KEY", ""), token]).await.unwrap(), "token t");
        let error = outcome(&none, &[("ANTHROPIC_API_KEY", "  ")]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Credentials);
        let hint = error.hint.unwrap();
        assert!(hint.contains("ANTHROPIC_API_KEY") && hint.contains("--simulate"), "{hint}");
    }

    #[tokio::test]
    async fn no_message_holds_a_secret() {
        let none = Settings::default();
        for key in ["s3cret\nmore", "s3 cret", "s3crét"] {
            let error = outcome(&none, &[("ANTHROPIC_API_KEY", key)]).await.unwrap_err();
            assert!(!error.sentence().contains("s3"), "{error}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn key_commands() {
        let run = |argv: &'static [&str]| async move { outcome(&settings(argv), &[]).await };
        assert_eq!(run(&["printf", " %s\n\n", "s3cret"]).await.unwrap(), "key s3cret");
        // No shell: this is a word, not two commands.
        assert_eq!(run(&["printf", "%s", "$HOME;id"]).await.unwrap(), "key $HOME;id");
        for (argv, part) in [
            (&["sh", "-c", "echo s3cret; exit 3"] as &[&str], "failed with exit status: 3"),
            (&["sh", "-c", "echo s3cret; echo s3cret"], "more than one line"),
            (&["sh", "-c", "echo"], "is empty"),
            (&["printf", "\\377s3cret"], "is not text"),
            (&["no-such-program-here", "s3cret"], "cannot start `no-such-program-here`"),
        ] {
            let error = run(argv).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Credentials);
            assert!(error.message.contains(part), "{}", error.message);
            assert!(!error.sentence().contains("s3cret"), "{}", error.sentence());
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_that_hangs_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        // Only a program that outlives its limit leaves the mark.
        let script = format!("sleep 1; touch '{}'", mark.display());
        let argv = ["sh", "-c", &script].map(str::to_owned);
        let error = from_command(&argv, Duration::from_millis(50)).await.unwrap_err();
        assert!(error.message.contains("gave no key within"), "{}", error.message);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!mark.exists());
    }

    #[test]
    fn headers() {
        let env = Environment::from_pairs([(
            "ANTHROPIC_CUSTOM_HEADERS",
            "X-Team: a: b\n\n  x-two :2 \nnonsense\nbad name: x\n: y\n",
        )]);
        assert_eq!(custom_headers(&env), [("X-Team".into(), "a: b".into()), ("x-two".into(), "2".into())]);
        assert_eq!(bad_custom_headers(&env), 3);
    }
}
