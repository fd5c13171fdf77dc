//! Characters that make a text read as another one.

/// Whether a character turns the direction of writing until another one turns it back. In code and in titles nobody needs it,
/// and what stands behind it is read in an order that is not the one it has.
pub fn turns(char: char) -> bool {
    matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character turns the writing or is not seen at all, so that two names which differ may look the same.
pub fn is_unseen(char: char) -> bool {
    turns(char) || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
