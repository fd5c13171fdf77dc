//! The key in the system's keyring: of the service `aside`, and where the system wants a name too, of `api-key`.

use std::time::Duration;

use secrecy::SecretString;

use super::secret;
use crate::error::{Error, ErrorKind};

const SERVICE: &str = "aside";

#[cfg(any(target_vendor = "apple", windows))]
const USER: &str = "api-key";

/// What a keyring says: nothing, or bytes; or why it cannot be asked.
pub(super) type Said = Result<Option<Vec<u8>>, String>;

/// The key that `ask` finds; `None` if there is none, or no keyring, as on most machines without a screen. Nobody said that
/// there should be one.
///
/// # Errors
/// [`ErrorKind::Credentials`] when the user did not unlock it in time, or what it holds is no key.
pub(super) async fn from_keyring(
    ask: impl FnOnce(Duration) -> Said + Send + 'static,
    limit: Duration,
) -> Result<Option<SecretString>, Error> {
    // It may ask the user, and nothing else can wait for that.
    let asked = tokio::task::spawn_blocking(move || ask(limit));
    let failed = |message: String| Error::new(ErrorKind::Credentials, message);
    let Ok(Ok(said)) = tokio::time::timeout(limit, asked).await else {
        let message = format!("The system's keyring gave no key within {} seconds.", limit.as_secs());
        return Err(failed(message).hint("Unlock it and try again, or set ANTHROPIC_API_KEY."));
    };
    match said {
        Ok(Some(bytes)) => {
            let text = std::str::from_utf8(&bytes)
                .map_err(|_| failed("What the system's keyring holds for Aside is not text.".into()))?;
            secret(text, "What the system's keyring holds for Aside").map(Some)
        }
        Ok(None) => Ok(None),
        Err(reason) => {
            tracing::info!("the system's keyring cannot be asked: {reason}");
            Ok(None)
        }
    }
}

/// Asks the Secret Service (GNOME's keyring, KDE's wallet and others). The session's bus is the user's own, so the key may go
/// over it as it is.
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(super) fn ask(limit: Duration) -> Said {
    use dbus_secret_service::{EncryptionType, SecretService};
    let words = |error: dbus_secret_service::Error| error.to_string();
    let service =
        SecretService::connect_with_max_prompt_timeout(EncryptionType::Plain, limit.as_secs()).map_err(words)?;
    let found = service.search_items([("service", SERVICE)].into()).map_err(words)?;
    let Some(item) = found.unlocked.first().or(found.locked.first()) else { return Ok(None) };
    item.unlock().map_err(words)?;
    item.get_secret().map(Some).map_err(words)
}

#[cfg(target_vendor = "apple")]
pub(super) fn ask(_: Duration) -> Said {
    /// `errSecItemNotFound`.
    const NOT_FOUND: i32 = -25300;
    match security_framework::passwords::get_generic_password(SERVICE, USER) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.code() == NOT_FOUND => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(windows)]
pub(super) fn ask(_: Duration) -> Said {
    let store = windows_native_keyring_store::Store::new().map_err(|error| error.to_string())?;
    keyring_core::set_default_store(store);
    match keyring_core::Entry::new(SERVICE, USER).and_then(|entry| entry.get_password()) {
        Ok(text) => Ok(Some(text.into_bytes())),
        Err(keyring_core::Error::NoEntry) => Ok(None),
        // Its words can hold what was found.
        Err(_) => Err("it refuses".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    async fn outcome(said: Said) -> Result<Option<String>, String> {
        let key = from_keyring(move |_| said, LIMIT).await.map_err(|error| error.sentence())?;
        Ok(key.map(|key| key.expose_secret().to_owned()))
    }

    #[tokio::test]
    async fn a_keyring_has_a_key_none_or_is_not_there() {
        assert_eq!(outcome(Ok(Some(b"s3cret\n".to_vec()))).await, Ok(Some("s3cret".to_owned())));
        assert_eq!(outcome(Ok(None)).await, Ok(None));
        assert_eq!(outcome(Err("no such bus".to_owned())).await, Ok(None));
        for bad in [&b"s3cret\nmore"[..], b"", b"s3cret \xff"] {
            let error = outcome(Ok(Some(bad.to_vec()))).await.unwrap_err();
            assert!(error.contains("system's keyring") && !error.contains("s3cret"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_keyring_that_nobody_unlocks_is_not_waited_for() {
        let (never, waits) = std::sync::mpsc::channel::<()>();
        let ask = move |_| {
            let _ = waits.recv();
            Ok(None)
        };
        let error = from_keyring(ask, Duration::from_millis(20)).await.unwrap_err();
        assert!(error.message.contains("gave no key"), "{}", error.message);
        assert!(error.hint.unwrap().contains("ANTHROPIC_API_KEY"));
        drop(never);
    }

    /// The real one, which need not be there: whatever it says, it is an answer.
    #[tokio::test]
    async fn this_machines_keyring_can_be_asked() {
        if let Err(error) = from_keyring(ask, LIMIT).await {
            assert_eq!(error.kind, ErrorKind::Credentials);
        }
    }
}
