//! A file that calls itself a picture: it is one that a model can see, or there is an error, and never much memory.

use crate::claude::images::Picture;

pub(super) fn check(data: &[u8]) {
    let Ok(picture) = Picture::of_bytes("picture", data) else { return };
    let (width, height) = picture.size.expect("it is not fetched by the API");
    assert!(width.max(height) <= 1568, "{width} by {height}");
    assert!(picture.tokens() <= 1600);
}
