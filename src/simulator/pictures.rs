//! What pictures and documents take: about width times height over 750 tokens.

use base64::Engine as _;
use serde_json::Value;

/// Tokens of a picture whose size is not in the request; also the most that one takes, as larger ones are scaled down.
const MOST: u64 = 1_600;

/// The tokens of an image block.
pub(super) fn tokens(block: &Value) -> u64 {
    let data = block.pointer("/source/data").and_then(Value::as_str);
    let size =
        data.and_then(|data| base64::engine::general_purpose::STANDARD.decode(data).ok()).and_then(|data| size(&data));
    size.map_or(MOST, |(width, height)| (u64::from(width) * u64::from(height)).div_ceil(750).clamp(1, MOST))
}

/// What an image block is, as far as that shows without looking at it.
pub(super) fn words(block: &Value) -> String {
    if let Some(address) = block.pointer("/source/url").and_then(Value::as_str) {
        return format!("the picture at {address}, which was not fetched");
    }
    let kind = match block.pointer("/source/media_type").and_then(Value::as_str) {
        Some("image/png") => "a PNG picture",
        Some("image/gif") => "a GIF picture",
        Some("image/webp") => "a WebP picture",
        _ => "a JPEG picture",
    };
    let data = block.pointer("/source/data").and_then(Value::as_str);
    let bytes = data.and_then(|data| base64::engine::general_purpose::STANDARD.decode(data).ok());
    match bytes.and_then(|bytes| size(&bytes)) {
        Some((width, height)) => format!("{kind} of {width} by {height} pixels"),
        None => kind.to_owned(),
    }
}

/// The pages of a PDF in base64, as far as its objects are not compressed; at least one.
pub(super) fn pdf_pages(data: &str) -> u64 {
    let bytes = base64::engine::general_purpose::STANDARD.decode(data).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let pages = text.matches("/Type /Page").count() + text.matches("/Type/Page").count();
    let trees = text.matches("/Type /Pages").count() + text.matches("/Type/Pages").count();
    (pages.saturating_sub(trees) as u64).max(1)
}

/// Width and height in pixels.
fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let two_little = |at: usize| Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    let four_big = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if bytes.starts_with(b"\x89PNG") {
        Some((four_big(16)?, four_big(20)?))
    } else if bytes.starts_with(b"GIF8") {
        Some((two_little(6)?, two_little(8)?))
    } else if bytes.starts_with(&[0xFF, 0xD8]) {
        jpeg_size(bytes)
    } else if bytes.get(8..15) == Some(b"WEBPVP8") {
        webp_size(bytes)
    } else {
        None
    }
}

/// The size in the first frame header; the segments in front of it are stepped over.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let word = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        let is_frame = matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC);
        if is_frame {
            return Some((u32::from(word(at + 7)?), u32::from(word(at + 5)?)));
        }
        at += 2 + usize::from(word(at + 2)?).max(2);
    }
}

fn webp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let byte = |at: usize| bytes.get(at).map(|byte| u32::from(*byte));
    match bytes.get(15)? {
        b'X' => {
            let three = |at: usize| Some(byte(at)? | byte(at + 1)? << 8 | byte(at + 2)? << 16);
            Some((three(24)? + 1, three(27)? + 1))
        }
        b'L' => {
            let bits = byte(21)? | byte(22)? << 8 | byte(23)? << 16 | byte(24)? << 24;
            Some(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
        }
        _ => {
            let fourteen = |at: usize| Some((byte(at)? | byte(at + 1)? << 8) & 0x3FFF);
            Some((fourteen(26)?, fourteen(28)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_size_of_each_format() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 3, 32, 0, 0, 2, 88]);
        assert_eq!(size(&png), Some((800, 600)));
        assert_eq!(size(b"GIF89a\x20\x03\x58\x02"), Some((800, 600)));
        let jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xC0, 0, 17, 8, 2, 88, 3, 32];
        assert_eq!(size(&jpeg), Some((800, 600)));
        let mut webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0".to_vec();
        webp.extend([0x1F, 3, 0, 0x57, 2, 0]);
        assert_eq!(size(&webp), Some((800, 600)));
        assert_eq!(size(b"\xFF\xD8\xFF"), None);
    }

    #[test]
    fn takes_a_token_for_750_pixels() {
        let image = |data: &[u8]| {
            let data = base64::engine::general_purpose::STANDARD.encode(data);
            serde_json::json!({"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": data}})
        };
        assert_eq!(tokens(&image(b"GIF89a\x20\x03\x58\x02")), 640);
        assert_eq!(tokens(&image(b"GIF89a\xFF\xFF\xFF\xFF")), MOST);
    }
}
