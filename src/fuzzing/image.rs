//! A file that calls itself a picture: it is one that a model can see, or there is an error, and never much memory.

use base64::Engine as _;

use crate::claude::images::Picture;
use crate::claude::types::ImageSource;

/// Pixels; a larger picture takes its time, and finds no more.
const LARGEST: u64 = 16_384;

pub(super) fn check(data: &[u8]) {
    let reader = image::ImageReader::new(std::io::Cursor::new(data)).with_guessed_format().expect("nothing is read");
    let size = reader.into_dimensions().unwrap_or_default();
    if u64::from(size.0) * u64::from(size.1) > LARGEST {
        return;
    }
    let Ok(picture) = Picture::of_bytes("picture", data) else { return };
    let (width, height) = picture.size.expect("it is not fetched by the API");
    assert!(width.max(height) <= 1568, "{width} by {height}");
    assert!(picture.tokens() <= 1600);
    let ImageSource::Base64 { media_type, data } = &picture.source else { panic!("it is in the request") };
    assert!(data.len() <= 5 * 1024 * 1024, "{} bytes", data.len());
    let sent = base64::engine::general_purpose::STANDARD.decode(data).expect("it is base64");
    // What is sent is a picture of that size, and is sent again as it is.
    let again = Picture::of_bytes("picture", &sent).expect("what was sent is a picture");
    assert_eq!(again.source, picture.source);
    assert_eq!(again.size, picture.size, "{media_type}");
}
