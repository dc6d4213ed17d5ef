//! The embedding table: mapped into memory, so that only the rows of words
//! that people use are ever read from disk.

use std::path::Path;

use memmap2::{Advice, Mmap};
use tract_onnx::prelude::f16;

use crate::error::ModelError;

/// `embedding.q4`: a header of 64 bytes, then Q4_0 rows in the order of the
/// token ids (`models/recipes/table.py`).
#[derive(Debug)]
pub(crate) struct Table {
    bytes: Mmap,
    rows: usize,
    width: usize,
}

const HEADER: usize = 64;
const MAGIC: &[u8] = b"JBQ4";
const VERSION: u32 = 1;

/// Elements in a Q4_0 block.
const BLOCK: usize = 32;
/// An f16 scale, then 16 bytes: low nibbles are elements 0–15, high nibbles
/// 16–31, each minus 8.
const BLOCK_BYTES: usize = 2 + BLOCK / 2;

impl Table {
    pub(crate) fn read(path: &Path, bytes: Mmap) -> Result<Self, ModelError> {
        // Reading ahead would only bring rows of other words into memory.
        bytes
            .advise(Advice::Random)
            .map_err(|source| ModelError::Read { path: path.to_owned(), source })?;
        let field = |index: usize| {
            let at = MAGIC.len() + 4 * index;
            let field = bytes.get(at..at + 4)?;
            Some(u32::from_le_bytes(field.try_into().ok()?))
        };
        let header = (field(0), field(1), field(2), field(3));
        if let (Some(VERSION), Some(rows), Some(width), Some(block)) = header {
            let (rows, width) = (rows as usize, width as usize);
            let size = rows.checked_mul(width / BLOCK * BLOCK_BYTES);
            if bytes.starts_with(MAGIC)
                && block as usize == BLOCK
                && width > 0
                && width.is_multiple_of(BLOCK)
                && size.and_then(|size| size.checked_add(HEADER)) == Some(bytes.len())
            {
                return Ok(Table { bytes, rows, width });
            }
        }
        let what = format!("a table \"JBQ4\" of version {VERSION} in blocks of {BLOCK} is wanted");
        Err(ModelError::Layout { path: path.to_owned(), what })
    }

    /// How many tokens it has.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Components of an embedding.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Appends a token's embedding; nothing for an id that the table lacks.
    pub(crate) fn append(&self, token: u32, out: &mut Vec<f32>) {
        let size = self.width / BLOCK * BLOCK_BYTES;
        let start = HEADER.saturating_add(size.saturating_mul(token as usize));
        let Some(row) = self.bytes.get(start..).and_then(|rest| rest.get(..size)) else { return };
        for block in row.as_chunks::<BLOCK_BYTES>().0 {
            let [low, high, nibbles @ ..] = block;
            let scale = f16::from_bits(u16::from_le_bytes([*low, *high])).to_f32();
            let element = |nibble: u8| (f32::from(nibble) - 8.0) * scale;
            out.extend(nibbles.iter().map(|byte| element(byte & 0x0f)));
            out.extend(nibbles.iter().map(|byte| element(byte >> 4)));
        }
    }
}

#[cfg(test)]
mod tests {
    use memmap2::MmapMut;

    use super::*;

    fn table(bytes: &[u8]) -> Result<Table, ModelError> {
        let mut map = MmapMut::map_anon(bytes.len()).unwrap();
        map.copy_from_slice(bytes);
        Table::read(Path::new("embedding.q4"), map.make_read_only().unwrap())
    }

    fn file(rows: u32, width: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = b"JBQ4".to_vec();
        for field in [VERSION, rows, width, BLOCK as u32] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.resize(HEADER, 0);
        bytes.extend(body);
        bytes
    }

    #[test]
    fn low_nibbles_come_before_high_ones() {
        let mut body = vec![0u8; BLOCK_BYTES];
        body.extend(f16::from_f32(0.5).to_bits().to_le_bytes());
        body.extend((0..16u8).map(|i| 0xf0 | i));
        let table = table(&file(2, 32, &body)).unwrap();
        let mut row = Vec::new();
        table.append(1, &mut row);
        let wanted: Vec<f32> = (0..16).map(|i| (i as f32 - 8.0) / 2.0).chain([3.5; 16]).collect();
        assert_eq!(row, wanted);
        assert_eq!((table.rows(), table.width()), (2, 32));
    }

    #[test]
    fn a_token_that_the_table_lacks_has_no_row() {
        let table = table(&file(1, 32, &[0; BLOCK_BYTES])).unwrap();
        let mut row = Vec::new();
        table.append(1, &mut row);
        table.append(u32::MAX, &mut row);
        assert!(row.is_empty());
    }

    #[test]
    fn a_table_of_another_layout_is_refused() {
        let good = file(1, 32, &[0; BLOCK_BYTES]);
        assert!(table(&good).is_ok());
        for cut in 1..good.len() {
            assert!(matches!(table(&good[..cut]), Err(ModelError::Layout { .. })), "{cut}");
        }
        for at in 0..20 {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            assert!(matches!(table(&bad), Err(ModelError::Layout { .. })), "{at}");
        }
        assert!(table(&file(u32::MAX, u32::MAX - 31, &[])).is_err());
    }
}
