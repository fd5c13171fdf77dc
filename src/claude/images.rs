//! Pictures as the API takes them: of the right kind, and no larger than it looks at.

use std::io::Cursor;

use base64::Engine as _;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::error::{LimitError, LimitErrorKind, UnsupportedError, UnsupportedErrorKind};
use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{
    ColorType, ExtendedColorType, ImageBuffer, ImageDecoder, ImageEncoder as _, ImageError, ImageFormat, ImageReader,
    ImageResult, Limits, Pixel, Rgb, Rgba,
};

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
        let scaled = Scaled::read(reader()).map_err(|error| unreadable(&error))?;
        let (media_type, bytes) = scaled.written().map_err(|error| unreadable(&error))?;
        let words =
            format!("{} of {width} by {height} pixels, sent with {} by {}", named(format), scaled.width, scaled.height);
        Ok(Self { source: encoded(media_type, &bytes), size: Some((scaled.width, scaled.height)), words })
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

/// A picture no larger than models see, the right way up. Only the two kinds of pixels that are sent are worked with: what
/// [`image::DynamicImage`] does is in the program for ten of them.
struct Scaled {
    width: u32,
    height: u32,
    /// Eight bits for each of red, green, blue, and alpha where there is one.
    pixels: Vec<u8>,
    has_alpha: bool,
}

impl Scaled {
    fn read(mut reader: ImageReader<Cursor<&[u8]>>) -> ImageResult<Self> {
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_EDGE);
        limits.max_image_height = Some(MAX_EDGE);
        limits.max_alloc = Some(MAX_MEMORY);
        reader.limits(limits);
        let mut decoder = reader.into_decoder()?;
        // How a camera was held is said beside the pixels, and lost with what stands beside them.
        let orientation = decoder.orientation()?;
        let (width, height) = decoder.dimensions();
        let color = decoder.color_type();
        let pixels = in_eight_bits(color, raw(decoder)?)?;
        let has_alpha = color.has_alpha();
        let (width, height, pixels) = if has_alpha {
            shrunk::<Rgba<u8>>(width, height, pixels, orientation)?
        } else {
            shrunk::<Rgb<u8>>(width, height, pixels, orientation)?
        };
        Ok(Self { width, height, pixels, has_alpha })
    }

    /// As PNG where something shines through, as JPEG where nothing does or PNG would be too large.
    fn written(&self) -> ImageResult<(&'static str, Vec<u8>)> {
        let (width, height) = (self.width, self.height);
        if self.has_alpha {
            let mut bytes = Vec::new();
            PngEncoder::new(&mut bytes).write_image(&self.pixels, width, height, ExtendedColorType::Rgba8)?;
            if bytes.len() <= MAX_BYTES {
                return Ok(("image/png", bytes));
            }
        }
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        if self.has_alpha {
            encoder.encode(&on_white(&self.pixels), width, height, ExtendedColorType::Rgb8)?;
        } else {
            encoder.encode(&self.pixels, width, height, ExtendedColorType::Rgb8)?;
        }
        Ok(("image/jpeg", bytes))
    }
}

/// The pixels as they are in the file, if they and what is made of them have room.
fn raw(decoder: impl ImageDecoder) -> ImageResult<Vec<u8>> {
    let (width, height) = decoder.dimensions();
    let in_file = decoder.total_bytes();
    let made = if is_as_sent(decoder.color_type()) { 0 } else { u64::from(width) * u64::from(height) * 4 };
    let too_large = || ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory));
    if in_file.saturating_add(made) > MAX_MEMORY {
        return Err(too_large());
    }
    let mut pixels = vec![0; usize::try_from(in_file).map_err(|_| too_large())?];
    decoder.read_image(&mut pixels)?;
    Ok(pixels)
}

fn is_as_sent(color: ColorType) -> bool {
    matches!(color, ColorType::Rgb8 | ColorType::Rgba8)
}

/// Pixels in eight bits and in colours.
fn in_eight_bits(color: ColorType, pixels: Vec<u8>) -> ImageResult<Vec<u8>> {
    if is_as_sent(color) {
        return Ok(pixels);
    }
    let pixels = match color {
        ColorType::L8 | ColorType::La8 => pixels,
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => narrowed(&pixels),
        _ => {
            let kind = UnsupportedErrorKind::Color(color.into());
            return Err(ImageError::Unsupported(UnsupportedError::from_format_and_kind(
                image::error::ImageFormatHint::Unknown,
                kind,
            )));
        }
    };
    Ok(match color {
        ColorType::L8 | ColorType::L16 => pixels.into_iter().flat_map(|grey| [grey; 3]).collect(),
        ColorType::La8 | ColorType::La16 => {
            pixels.chunks_exact(2).flat_map(|it| [it[0], it[0], it[0], it[1]]).collect()
        }
        _ => pixels,
    })
}

/// The nearest eight bits for each sixteen.
fn narrowed(pixels: &[u8]) -> Vec<u8> {
    let sixteen = pixels.chunks_exact(2).map(|it| u32::from(u16::from_ne_bytes([it[0], it[1]])));
    sixteen.map(|value| u8::try_from((value + 128) / 257).unwrap_or(u8::MAX)).collect()
}

/// Scaled down, then turned.
fn shrunk<P: Pixel<Subpixel = u8> + 'static>(
    width: u32,
    height: u32,
    pixels: Vec<u8>,
    orientation: Orientation,
) -> ImageResult<(u32, u32, Vec<u8>)> {
    let picture: Option<ImageBuffer<P, Vec<u8>>> = ImageBuffer::from_raw(width, height, pixels);
    let mut picture =
        picture.ok_or_else(|| ImageError::Limits(LimitError::from_kind(LimitErrorKind::DimensionError)))?;
    let size = fitting(width, height);
    if size != (width, height) {
        picture = imageops::resize(&picture, size.0, size.1, FilterType::Triangle);
    }
    let picture = turned(picture, orientation);
    Ok((picture.width(), picture.height(), picture.into_raw()))
}

/// The size that models see, in the same proportions.
fn fitting(width: u32, height: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= LONGEST_EDGE {
        return (width, height);
    }
    let scaled = |edge: u32| {
        let edge = (u64::from(edge) * u64::from(LONGEST_EDGE) + u64::from(longest) / 2) / u64::from(longest);
        u32::try_from(edge).unwrap_or(LONGEST_EDGE).max(1)
    };
    (scaled(width), scaled(height))
}

fn turned<P: Pixel<Subpixel = u8> + 'static>(
    picture: ImageBuffer<P, Vec<u8>>,
    orientation: Orientation,
) -> ImageBuffer<P, Vec<u8>> {
    match orientation {
        Orientation::NoTransforms => picture,
        Orientation::Rotate90 => imageops::rotate90(&picture),
        Orientation::Rotate180 => imageops::rotate180(&picture),
        Orientation::Rotate270 => imageops::rotate270(&picture),
        Orientation::FlipHorizontal => imageops::flip_horizontal(&picture),
        Orientation::FlipVertical => imageops::flip_vertical(&picture),
        Orientation::Rotate90FlipH => imageops::flip_horizontal(&imageops::rotate90(&picture)),
        Orientation::Rotate270FlipH => imageops::flip_horizontal(&imageops::rotate270(&picture)),
    }
}

/// Without transparency.
fn on_white(pixels: &[u8]) -> Vec<u8> {
    let mixed = |pixel: &[u8]| {
        let alpha = u32::from(pixel[3]);
        [pixel[0], pixel[1], pixel[2]].map(|colour| {
            let sum = u32::from(colour) * alpha + 255 * (255 - alpha);
            u8::try_from(sum / 255).unwrap_or(u8::MAX)
        })
    };
    pixels.chunks_exact(4).flat_map(mixed).collect()
}

fn encoded(media_type: &str, bytes: &[u8]) -> ImageSource {
    let data = base64::engine::general_purpose::STANDARD.encode(bytes);
    ImageSource::Base64 { media_type: media_type.to_owned(), data }
}

#[cfg(test)]
mod tests {
    use image::DynamicImage;

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
    fn pixels_of_all_kinds_are_read_as_the_library_reads_them() {
        let colours = DynamicImage::ImageRgba16(image::ImageBuffer::from_fn(40, 30, |x, y| {
            let value = |number: u32| u16::try_from(number % 65_536).unwrap();
            image::Rgba([value(x * 1643), value(y * 2111), value(x * y * 57), value(x * 997 + y * 1009)])
        }));
        for picture in [
            DynamicImage::ImageLuma8(colours.to_luma8()),
            DynamicImage::ImageLumaA8(colours.to_luma_alpha8()),
            DynamicImage::ImageRgb8(colours.to_rgb8()),
            DynamicImage::ImageRgba8(colours.to_rgba8()),
            DynamicImage::ImageLuma16(colours.to_luma16()),
            DynamicImage::ImageLumaA16(colours.to_luma_alpha16()),
            DynamicImage::ImageRgb16(colours.to_rgb16()),
            colours.clone(),
        ] {
            let mut file = Cursor::new(Vec::new());
            picture.write_to(&mut file, ImageFormat::Png).unwrap();
            let file = file.into_inner();
            let read = Scaled::read(ImageReader::with_format(Cursor::new(file.as_slice()), ImageFormat::Png)).unwrap();
            let expected =
                if picture.color().has_alpha() { picture.to_rgba8().into_raw() } else { picture.to_rgb8().into_raw() };
            assert_eq!((read.width, read.height, read.has_alpha), (40, 30, picture.color().has_alpha()));
            assert_eq!(read.pixels, expected, "{:?}", picture.color());
        }
    }

    #[test]
    fn what_lies_on_its_side_is_turned_as_the_library_turns_it() {
        let picture = image::RgbImage::from_fn(3, 2, |x, y| image::Rgb([u8::try_from(x * 100 + y).unwrap(), 1, 2]));
        for orientation in (1..=8).filter_map(Orientation::from_exif) {
            let mut expected = DynamicImage::ImageRgb8(picture.clone());
            expected.apply_orientation(orientation);
            assert_eq!(DynamicImage::ImageRgb8(turned(picture.clone(), orientation)), expected, "{orientation:?}");
        }
    }

    #[test]
    fn a_small_file_with_very_many_pixels_takes_no_memory() {
        let edge = 25_000_u16.to_le_bytes();
        let frame = b",\0\0\0\0\x01\0\x01\0\0\x02\0;";
        let file = [b"GIF89a".as_slice(), &edge, &edge, &[0, 0, 0], frame].concat();
        let error = Picture::of_bytes("a.gif", &file).unwrap_err();
        assert!(error.message.contains("Memory limit exceeded"), "{}", error.message);
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
        fn what_fits_has_the_same_proportions(width in 1_u32..30_000, height in 1_u32..30_000) {
            let (wide, high) = fitting(width, height);
            proptest::prop_assert!(wide.max(high) == width.max(height).min(LONGEST_EDGE) && wide.min(high) >= 1);
            let (scale, shorter) = (f64::from(wide.max(high)) / f64::from(width.max(height)), f64::from(width.min(height)));
            proptest::prop_assert!((f64::from(wide.min(high)) - (shorter * scale).max(1.0)).abs() <= 0.5001);
        }

        #[test]
        fn no_file_panics(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), kind in 0_usize..5) {
            let heads: [&[u8]; 5] = [b"", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xFF\xD8\xFF", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8L"];
            let mut file = heads[kind].to_vec();
            file.append(&mut bytes);
            let _ = Picture::of_bytes("a", &file);
        }
    }
}
