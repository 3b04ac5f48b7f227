//! Pictures scaled down to what a device may get.
//!
//! A scaled picture carries a mark: a device that sends it back with an edit of something else must not replace the larger
//! original. JPEG and PNG only; a picture that claims to be enormous is not unpacked. Implements the limit of [MS-ASCNTC]
//! Picture; the mark is a comment of JPEG (ITU T.81, COM).

use std::io::Cursor;

use image::DynamicImage;
use image::ImageDecoder as _;
use image::ImageError;
use image::ImageReader;
use image::Limits;
use image::codecs::jpeg::JpegEncoder;

/// Pictures that are larger are not unpacked: pixels in one direction, and bytes of memory.
const MOST_PIXELS: u32 = 12_000;
const MOST_MEMORY: u64 = 128 * 1024 * 1024;

/// Sizes in pixels that are tried, the largest first.
const SIZES: [u32; 4] = [480, 320, 192, 96];

/// Of 100: artefacts are not seen at this size.
const QUALITY: u8 = 82;

/// How a JPEG begins, and behind it the comment: its marker and the length of the text with that of the length.
const START: &[u8] = b"\xFF\xD8";
const MARK: &[u8] = b"\xFF\xFE\x00\x11scaled for EAS\x00";

/// The picture as JPEG in no more than so many bytes; `None` for what is no picture, or is too large to be looked at.
pub(super) fn scaled(picture: &[u8], most: usize) -> Option<Vec<u8>> {
    let image = decoded(picture)
        .inspect_err(|error| log::debug!("a picture is left out: {error}"))
        .ok()?;
    SIZES.iter().find_map(|size| {
        let encoded = encoded(&image, *size).ok()?;
        (encoded.len() <= most).then_some(encoded)
    })
}

/// Whether a picture was made by [`scaled`].
pub(super) fn is_scaled(picture: &[u8]) -> bool {
    picture.strip_prefix(START).is_some_and(|rest| rest.starts_with(MARK))
}

fn decoded(picture: &[u8]) -> Result<DynamicImage, ImageError> {
    let mut reader = ImageReader::new(Cursor::new(picture)).with_guessed_format()?;
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MOST_PIXELS);
    limits.max_image_height = Some(MOST_PIXELS);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    // The new picture has no EXIF data that would say how to turn it.
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn encoded(image: &DynamicImage, size: u32) -> Result<Vec<u8>, ImageError> {
    let small = match image.width().max(image.height()) > size {
        true => image.thumbnail(size, size),
        false => image.clone(),
    };
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&small.to_rgb8())?;
    let rest = bytes.strip_prefix(START).unwrap_or_default();
    Ok([START, MARK, rest].concat())
}

#[cfg(test)]
mod tests {
    use image::ImageFormat;

    use super::*;

    /// A picture that does not compress: noise from a generator with a fixed seed.
    fn noise(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut state = 1_u32;
        let image = image::RgbImage::from_fn(width, height, |_, _| {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            };
            image::Rgb([next(), next(), next()])
        });
        let mut bytes = Vec::new();
        image.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    #[test]
    fn fits_and_is_marked() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let large = noise(900, 600, format);
            let most = 36 * 1024;
            assert!(large.len() > most && !is_scaled(&large));
            let small = scaled(&large, most).unwrap();
            assert!(small.len() <= most && is_scaled(&small), "{}", small.len());
            assert_eq!(image::guess_format(&small).ok(), Some(ImageFormat::Jpeg));
            let image = decoded(&small).unwrap();
            let (width, height) = (image.width(), image.height());
            assert_eq!((width * 2, width >= 96), (height * 3, true), "{width}x{height}");
        }
    }

    #[test]
    fn what_is_no_picture() {
        for bytes in [&b""[..], b"hello", b"\xFF\xD8\xFF", b"GIF89a"] {
            assert_eq!(scaled(bytes, 1000), None);
            assert!(!is_scaled(bytes));
        }
        let picture = noise(40, 40, ImageFormat::Png);
        for length in 0..picture.len() {
            assert_eq!(scaled(&picture[..length], 1), None, "{length}");
        }
    }

    /// A PNG of a few bytes that claims to be as large as a city.
    #[test]
    fn claims_are_not_believed() {
        let mut picture = noise(4, 4, ImageFormat::Png);
        picture[16..24].copy_from_slice(&[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]);
        assert_eq!(scaled(&picture, usize::MAX), None);
    }

    proptest::proptest! {
        #[test]
        fn anything_is_survived(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let _ = scaled(&bytes, 1000);
            let _ = scaled(&[START, b"\xFF", &bytes].concat(), 1000);
        }
    }
}
