//! Pictures as the API takes them: of the right kind, and no larger than it looks at.

use std::io::Cursor;

use base64::Engine as _;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use super::types::ImageSource;
use crate::error::{Error, ErrorKind};

/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// The longest edge that models see; what is larger is scaled down by the API anyway, after it was paid for in time.
const LONGEST_EDGE: u32 = 1568;

/// The most bytes of a picture: 5 MB of base64.
const MAX_BYTES: usize = 5 * 1024 * 1024 / 4 * 3;

/// The most memory that a picture may take while it is scaled.
const MAX_MEMORY: u64 = 512 * 1024 * 1024;

/// The most pixels along an edge; more is no picture of a document.
const MAX_EDGE: u32 = 30_000;

/// The quality of what is written as JPEG.
const QUALITY: u8 = 85;

/// A picture, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// For the request.
    pub source: ImageSource,
    /// Its width and height in pixels as it is sent; none for one that is fetched by the API.
    pub size: Option<(u32, u32)>,
    /// What it is, in words: its kind, its size, and whether it was scaled down.
    pub words: String,
}

impl Picture {
    /// A picture that the API fetches.
    pub fn at(address: &str) -> Self {
        Self {
            source: ImageSource::Url { url: address.to_owned() },
            size: None,
            words: format!("the picture at {address}"),
        }
    }

    /// A file's bytes; `name` is what errors call it. One that is too large for the API is scaled down.
    ///
    /// Takes up to a second for the largest ones. Fails with `config` when it is no picture of a kind that models see, or
    /// is broken.
    pub fn of_bytes(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let Some((format, media_type)) = kind(bytes) else { return Err(other_kind(name, bytes)) };
        let unreadable = |error: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Config, format!("{name} is no picture that can be read: {error}."))
                .hint("The file may be damaged or cut off.")
        };
        let reader = || ImageReader::with_format(Cursor::new(bytes), format);
        let (width, height) = reader().into_dimensions().map_err(|error| unreadable(&error))?;
        if width.max(height) <= LONGEST_EDGE && bytes.len() <= MAX_BYTES {
            let words = format!("{} of {width} by {height} pixels", named(format));
            return Ok(Self { source: encoded(media_type, bytes), size: Some((width, height)), words });
        }
        let mut reader = reader();
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_EDGE);
        limits.max_image_height = Some(MAX_EDGE);
        limits.max_alloc = Some(MAX_MEMORY);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(|error| unreadable(&error))?;
        // How a camera was held is said beside the pixels, and lost with what stands beside them.
        let orientation = decoder.orientation().map_err(|error| unreadable(&error))?;
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| unreadable(&error))?;
        picture.apply_orientation(orientation);
        if picture.width().max(picture.height()) > LONGEST_EDGE {
            picture = picture.resize(LONGEST_EDGE, LONGEST_EDGE, FilterType::Triangle);
        }
        let (media_type, bytes) = written(&picture).map_err(|error| unreadable(&error))?;
        let size = (picture.width(), picture.height());
        let words = format!(
            "{} of {width} by {height} pixels, sent with {} by {}",
            named(format),
            picture.width(),
            picture.height()
        );
        Ok(Self { source: encoded(media_type, &bytes), size: Some(size), words })
    }

    /// About how many tokens it takes: one for 750 pixels, and no more than the largest one that models see.
    pub fn tokens(&self) -> u64 {
        let of = |(width, height)| (u64::from(width) * u64::from(height)).div_ceil(750).clamp(1, MOST_TOKENS);
        self.size.map_or(MOST_TOKENS, of)
    }
}

/// About how many tokens the largest picture takes.
pub const MOST_TOKENS: u64 = 1_600;

/// What the first bytes say a file is, of the kinds that models see.
fn kind(bytes: &[u8]) -> Option<(ImageFormat, &'static str)> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some((ImageFormat::Png, "image/png")),
        [0xFF, 0xD8, 0xFF, ..] => Some((ImageFormat::Jpeg, "image/jpeg")),
        [b'G', b'I', b'F', b'8', ..] => Some((ImageFormat::Gif, "image/gif")),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some((ImageFormat::WebP, "image/webp")),
        _ => None,
    }
}

fn named(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "a PNG picture",
        ImageFormat::Gif => "a GIF picture",
        ImageFormat::WebP => "a WebP picture",
        _ => "a JPEG picture",
    }
}

/// The error for what is no picture, or one that no model sees.
fn other_kind(name: &str, bytes: &[u8]) -> Error {
    let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_lowercase();
    let what = match bytes {
        [] => "is empty",
        _ if beginning.contains("<svg") => "is an SVG drawing",
        [b'B', b'M', ..] => "is a bitmap (BMP)",
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => "is a TIFF picture",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "is a film, or an AVIF or HEIC picture",
        _ if beginning.starts_with("version https://git-lfs") => "is a pointer of Git LFS, not the picture itself",
        _ => "is no picture",
    };
    let error = Error::new(ErrorKind::Config, format!("{name} {what}."));
    error.hint("Models see PNG, JPEG, GIF and WebP; what a file is called does not matter.")
}

/// As PNG where something shines through, as JPEG where nothing does or PNG would be too large.
fn written(picture: &DynamicImage) -> image::ImageResult<(&'static str, Vec<u8>)> {
    if picture.color().has_alpha() {
        let mut bytes = Vec::new();
        picture.to_rgba8().write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
        if bytes.len() <= MAX_BYTES {
            return Ok(("image/png", bytes));
        }
    }
    let mut bytes = Vec::new();
    on_white(picture).write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))?;
    Ok(("image/jpeg", bytes))
}

/// Without transparency.
fn on_white(picture: &DynamicImage) -> image::RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let pixels = picture.to_rgba8();
    image::RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [red, green, blue, alpha] = pixels.get_pixel(x, y).0;
        let mixed = |colour: u8| {
            let sum = u32::from(colour) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
            u8::try_from(sum / 255).unwrap_or(u8::MAX)
        };
        image::Rgb([mixed(red), mixed(green), mixed(blue)])
    })
}

fn encoded(media_type: &str, bytes: &[u8]) -> ImageSource {
    let data = base64::engine::general_purpose::STANDARD.encode(bytes);
    ImageSource::Base64 { media_type: media_type.to_owned(), data }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(width: u32, height: u32, format: ImageFormat, transparent: bool) -> Vec<u8> {
        let alpha = if transparent { 100 } else { 255 };
        let red = |x: u32, y: u32| u8::try_from((x * 7 + y * 13) % 256).unwrap_or_default();
        let picture = image::RgbaImage::from_fn(width, height, |x, y| image::Rgba([red(x, y), 80, 200, alpha]));
        let picture = DynamicImage::ImageRgba8(picture);
        let picture = if transparent { picture } else { DynamicImage::ImageRgb8(picture.to_rgb8()) };
        let mut bytes = Vec::new();
        picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    fn sent(picture: &Picture) -> (String, Vec<u8>) {
        let ImageSource::Base64 { media_type, data } = &picture.source else { panic!("{picture:?}") };
        (media_type.clone(), base64::engine::general_purpose::STANDARD.decode(data).unwrap())
    }

    #[test]
    fn what_is_small_enough_is_sent_as_it_is() {
        for (format, media_type) in [
            (ImageFormat::Png, "image/png"),
            (ImageFormat::Jpeg, "image/jpeg"),
            (ImageFormat::Gif, "image/gif"),
            (ImageFormat::WebP, "image/webp"),
        ] {
            let bytes = file(120, 50, format, false);
            let picture = Picture::of_bytes("a", &bytes).unwrap();
            assert_eq!(sent(&picture), (media_type.to_owned(), bytes), "{format:?}");
            assert_eq!((picture.size, picture.tokens()), (Some((120, 50)), 8));
        }
    }

    #[test]
    fn what_is_larger_than_models_see_is_scaled_down_in_its_proportions() {
        for (format, transparent, expected) in [
            (ImageFormat::Png, false, "image/jpeg"),
            (ImageFormat::Jpeg, false, "image/jpeg"),
            (ImageFormat::Png, true, "image/png"),
        ] {
            let picture = Picture::of_bytes("a", &file(3136, 100, format, transparent)).unwrap();
            let (media_type, bytes) = sent(&picture);
            assert_eq!((picture.size, media_type.as_str()), (Some((1568, 50)), expected));
            let read = image::load_from_memory(&bytes).unwrap();
            assert_eq!((read.width(), read.height(), read.color().has_alpha()), (1568, 50, transparent));
            assert!(picture.words.contains("3136 by 100") && picture.words.contains("1568 by 50"), "{}", picture.words);
        }
    }

    #[test]
    fn what_takes_too_many_bytes_is_written_anew() {
        let mut bytes = file(100, 100, ImageFormat::Png, false);
        // What stands behind its end is no part of a picture, but would be sent.
        bytes.resize(MAX_BYTES + 1, 0);
        let (media_type, bytes) = sent(&Picture::of_bytes("a", &bytes).unwrap());
        assert!(bytes.len() < 20_000 && media_type == "image/jpeg", "{media_type} {}", bytes.len());
    }

    #[test]
    fn what_is_no_picture_says_what_it_is() {
        let broken = file(200, 200, ImageFormat::Png, false)[..20].to_vec();
        let mut cut = file(2000, 200, ImageFormat::Png, false);
        cut.truncate(200);
        for (bytes, expected) in [
            (b"hello".to_vec(), "no picture"),
            (Vec::new(), "empty"),
            (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "SVG"),
            (b"version https://git-lfs.github.com/spec/v1\noid".to_vec(), "Git LFS"),
            (b"BM______".to_vec(), "BMP"),
            (broken, "can be read"),
            (cut, "can be read"),
        ] {
            let error = Picture::of_bytes("pictures/a.png", &bytes).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Config);
            assert!(error.message.contains(expected), "{}", error.message);
            assert!(error.message.starts_with("pictures/a.png "), "{}", error.message);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_file_panics(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), kind in 0_usize..5) {
            let heads: [&[u8]; 5] = [b"", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xFF\xD8\xFF", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8L"];
            let mut file = heads[kind].to_vec();
            file.append(&mut bytes);
            let _ = Picture::of_bytes("a", &file);
        }
    }
}
