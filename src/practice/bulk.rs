//! Response bodies that are dangerous by their size or shape: deep, long, or small on the wire and huge when
//! decompressed.

use serde_json::{Value, json};

/// Well-formed nested arrays.
pub fn nested(levels: usize) -> Vec<u8> {
    let mut bytes = b"{\"data\":".to_vec();
    bytes.resize(bytes.len() + levels, b'[');
    bytes.resize(bytes.len() + levels, b']');
    bytes.push(b'}');
    bytes
}

/// This value with 1 MiB of padding added.
pub fn padded(value: &Value) -> Vec<u8> {
    let mut value = value.clone();
    value["padding"] = json!("x".repeat(1 << 20));
    value.to_string().into_bytes()
}

/// A gzip stream with these bytes stored uncompressed; at most 65,535 bytes.
pub fn gzip_stored(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a stored block holds less than 64 KiB");
    let mut stream = gzip_head();
    stream.push(1); // last block, stored
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(bytes);
    stream.extend(crc32(bytes).to_le_bytes());
    stream.extend(u32::from(length).to_le_bytes());
    stream
}

/// About 1.7 MB that decompress to 256 MiB of zeros (RFC 1951, fixed codes). The checksum at the end is wrong: a reader
/// that gets that far has decompressed everything.
pub fn gzip_bomb() -> Vec<u8> {
    let mut bits = BitWriter::default();
    bits.push(0b011, 3); // last block, fixed codes
    bits.push_code(0b0011_0000, 8); // a zero
    // eight times "258 bytes, from one byte back": 13 bits each, so that the pattern repeats after 13 bytes
    for _ in 0..8 * 8 {
        bits.push_code(0b1100_0101, 8);
        bits.push_code(0, 5);
    }
    let mut stream = gzip_head();
    let period = bits.bytes[bits.bytes.len() - 13..].to_vec();
    stream.extend(&bits.bytes);
    for _ in 0..(256_u64 << 20) / (8 * 258) {
        stream.extend(&period);
    }
    stream.extend([0; 16]);
    stream
}

fn gzip_head() -> Vec<u8> {
    vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1)))
    })
}

/// Packs bits as deflate does: from the lowest bit of each byte, with codes in reverse order.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    waiting: u32,
    count: u32,
}

impl BitWriter {
    fn push(&mut self, bits: u32, length: u32) {
        self.waiting |= bits << self.count;
        self.count += length;
        while self.count >= 8 {
            self.bytes.push(self.waiting.to_le_bytes()[0]);
            self.waiting >>= 8;
            self.count -= 8;
        }
    }

    fn push_code(&mut self, code: u32, length: u32) {
        self.push(code.reverse_bits() >> (32 - length), length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_arrays_are_balanced() {
        let bytes = nested(3);
        assert_eq!(bytes, b"{\"data\":[[[]]]}");
    }

    #[test]
    fn crc32_matches_its_standard_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn stored_block_contains_its_length_twice() {
        let stream = gzip_stored(b"{}");
        assert_eq!(&stream[10..15], [1, 2, 0, 0xfd, 0xff]);
        assert_eq!(&stream[15..17], b"{}");
    }

    #[test]
    fn gzip_bomb_is_small_when_compressed() {
        let bomb = gzip_bomb();
        assert!(bomb.len() < 2 << 20, "{}", bomb.len());
        assert_eq!(&bomb[..3], [0x1f, 0x8b, 8]);
        // the pattern has the period with which it is repeated
        assert_eq!(bomb[100..113], bomb[10_000 * 13 + 100..10_000 * 13 + 113]);
    }
}
