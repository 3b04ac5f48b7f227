//! Small pictures as real PNG files (ISO/IEC 15948), drawn here so that no file has to be shipped.

/// Width and height.
const SIZE: u32 = 48;

/// A square of one colour with a lighter circle in it.
pub(super) fn portrait(red: u8, green: u8, blue: u8) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..SIZE {
        pixels.push(0); // The row is not filtered.
        for x in 0..SIZE {
            let (dx, dy) = (x.abs_diff(SIZE / 2), y.abs_diff(SIZE / 2));
            let light = if dx * dx + dy * dy < SIZE * SIZE / 9 { 60 } else { 0 };
            pixels.extend([red, green, blue].map(|channel| channel.saturating_add(light)));
        }
    }
    let mut header = Vec::new();
    header.extend(SIZE.to_be_bytes());
    header.extend(SIZE.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]); // 8 bits, RGB, deflate, no filter method, not interlaced.
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &header);
    chunk(&mut file, b"IDAT", &stored_zlib(&pixels));
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) {
    file.extend(u32::try_from(content.len()).unwrap_or(0).to_be_bytes());
    let checked: Vec<u8> = kind.iter().chain(content).copied().collect();
    file.extend(&checked);
    file.extend(crc32(&checked).to_be_bytes());
}

/// A zlib stream (RFC 1950) whose blocks are stored, not compressed.
fn stored_zlib(content: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let blocks = content.chunks(0xffff);
    let count = blocks.len();
    for (index, block) in blocks.enumerate() {
        let length = u16::try_from(block.len()).unwrap_or(0);
        stream.push(u8::from(index + 1 == count));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler32(content).to_be_bytes());
    stream
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums() {
        assert_eq!(crc32(b"IEND"), 0xae42_6082);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert!(portrait(1, 2, 3).starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
    }
}
