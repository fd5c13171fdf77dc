//! What a panic may say of itself. Its message can quote whatever the program had in hand, and is printed, logged and
//! pasted into reports.

use std::any::Any;

/// The words of a panic's message as far as they are the program's own: all of a literal, and of a message that was put
/// together what stands before anything quoted, without words that could be somebody's data.
pub fn words(panic: &(dyn Any + Send)) -> String {
    if let Some(literal) = panic.downcast_ref::<&'static str>() {
        return (*literal).to_owned();
    }
    panic.downcast_ref::<String>().map_or_else(|| "(no message)".to_owned(), |message| own_words(message))
}

fn own_words(message: &str) -> String {
    let own = message.split(['`', '"', '\'', '«', '“', '\n']).next().unwrap_or_default();
    let is_plain = |word: &str| {
        let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
        bare.len() <= 16
            && (bare.bytes().all(|it| it.is_ascii_lowercase()) || bare.bytes().all(|it| it.is_ascii_digit()))
    };
    let words: Vec<&str> = own.split_whitespace().map(|word| if is_plain(word) { word } else { "…" }).collect();
    let cut = if own.len() < message.len() { " …" } else { "" };
    format!("{}{cut}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn a_panic_says_what_is_wrong_and_nothing_of_what_it_was_about() {
        let key = format!("sk-ant-api03-{}", "k7Qp2Xv9Zt4Lm8Rw3Yb6".repeat(4));
        let said = |work: &(dyn Fn() + std::panic::RefUnwindSafe)| words(catch_unwind(work).unwrap_err().as_ref());
        let (text, at) = (format!("pässword = {key}"), 2);
        let list = ["a".to_owned(), "b".to_owned()].to_vec();
        assert_eq!(said(&|| panic!("the state has no job")), "the state has no job");
        assert_eq!(said(&|| panic!("no header {key} here")), "no header … here");
        let index = said(&|| drop(list[at + 5].clone()));
        assert_eq!(index, "index out of bounds: the len is 2 but the index is 7");
        let works: [&(dyn Fn() + std::panic::RefUnwindSafe); 5] = [
            &|| drop(text[at..].to_owned()),
            &|| drop(text[..at + 999].to_owned()),
            &|| assert_eq!(text, "other"),
            &|| assert!(text.parse::<u32>().map_err(|_| text.clone()).unwrap() > 0),
            &|| drop(String::from_utf8(vec![0xff]).expect(&text)),
        ];
        for work in works {
            let said = said(work);
            assert!(!said.contains("k7Qp") && !said.contains("ssword") && !said.is_empty(), "{said}");
        }
        assert_eq!(words(&7_i32), "(no message)");
    }
}
