//! The two spellings of a key: `snake_case` in TOML, `camelCase` in an editor's JSON.

/// `max_output_tokens` → `maxOutputTokens`. Dots and dashes stay.
pub fn camel(key: &str) -> String {
    let mut camel = String::with_capacity(key.len());
    let mut upper = false;
    for character in key.chars() {
        match character {
            '_' => upper = true,
            _ if upper => {
                camel.extend(character.to_uppercase());
                upper = false;
            }
            _ => camel.push(character),
        }
    }
    camel
}

/// `maxOutputTokens` → `max_output_tokens` and `cacheWrite5m` → `cache_write_5m`; what is `snake_case` already stays, so an
/// editor may use either.
pub fn snake(key: &str) -> String {
    let mut snake = String::with_capacity(key.len() + 4);
    for character in key.chars() {
        let begins_number = character.is_ascii_digit() && snake.ends_with(|before: char| before.is_ascii_lowercase());
        if character.is_ascii_uppercase() || begins_number {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::{camel, snake};
    use crate::config::key_names;

    #[test]
    fn every_key_survives_the_way_there_and_back() {
        let keys = key_names();
        assert!(keys.iter().any(|key| key == "api.timeout_secs"));
        for key in keys {
            let key = key.replace("NAME", "add-type-hints");
            assert_eq!(snake(&camel(&key)), key);
            assert!(!camel(&key).contains('_'), "{key}");
        }
    }
}
