use std::path::Path;

use super::{Block, Parsed, ReadError, Reader, Table, decode};
use crate::Meta;

/// A table in which every row makes sense by itself: RFC 4180, separated by
/// commas, semicolons or tabs. Lines `# key: value` before the header are the
/// front matter.
pub(super) struct CsvTable;

impl Reader for CsvTable {
    fn extensions(&self) -> &'static [&'static str] {
        &["csv", "tsv"]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Parsed, ReadError> {
        let text = decode(bytes)?;
        let (meta, table, first) = comments(&text)?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter(table))
            .from_reader(table.as_bytes());
        let mut header: Vec<String> = Vec::new();
        let mut rows: Vec<Vec<String>> = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| ReadError::Table {
                line: first + error.position().map_or(1, csv::Position::line) - 1,
                problem: "the row cannot be read: look at its quotes".to_owned(),
            })?;
            let line = first + record.position().map_or(1, csv::Position::line) - 1;
            let cells: Vec<String> = record.iter().map(jibu_answer::text::normalise_line).collect();
            if cells.iter().all(String::is_empty) {
                continue;
            }
            if header.is_empty() {
                check_header(&cells, line)?;
                header = cells;
            } else if cells.len() == header.len() {
                rows.push(cells);
            } else {
                let (has, wants) = (cells.len(), header.len());
                let problem = format!(
                    "the row has {has} fields and the header has {wants}: give each column one \
                     field, in quotes where it holds a separator"
                );
                return Err(ReadError::Table { line, problem });
            }
        }
        if rows.is_empty() {
            return Err(ReadError::Empty);
        }
        let table = Table { header, rows, row_is_passage: true };
        Ok(Parsed { meta, blocks: vec![Block::Table(table)] })
    }
}

/// The front matter in the comment lines, the rest, and the rest's first line.
fn comments(text: &str) -> Result<(Meta, &str, u64), ReadError> {
    let mut meta = Meta::default();
    let (mut at, mut line) = (0, 1);
    for comment in text.split_inclusive('\n') {
        let trimmed = comment.trim();
        match trimmed.strip_prefix('#').map(|words| words.trim().split_once(':')) {
            Some(Some((key, value))) => meta.set(key.trim(), value, line)?,
            // A comment without a colon is for whoever edits the table.
            Some(None) => {}
            None if trimmed.is_empty() => {}
            None => break,
        }
        at += comment.len();
        line += 1;
    }
    Ok((meta, text.get(at..).unwrap_or_default(), line as u64))
}

/// The separator that the header line uses most, outside of quotes.
fn delimiter(table: &str) -> u8 {
    let mut quoted = false;
    let (mut commas, mut semicolons, mut tabs) = (0, 0, 0);
    for byte in table.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'\n' => break,
            b',' => commas += 1,
            b';' => semicolons += 1,
            b'\t' => tabs += 1,
            _ => {}
        }
    }
    if tabs > commas && tabs >= semicolons {
        b'\t'
    } else if semicolons > commas {
        b';'
    } else {
        b','
    }
}

fn check_header(cells: &[String], line: u64) -> Result<(), ReadError> {
    for (at, cell) in cells.iter().enumerate() {
        let problem = if cell.is_empty() {
            format!("column {} has no name: name every column in the header", at + 1)
        } else if cells.iter().take(at).any(|before| before == cell) {
            format!("two columns are called \"{cell}\": name them apart")
        } else {
            continue;
        };
        return Err(ReadError::Table { line, problem });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::read::tests::check_blocks;

    fn refused(text: &str) -> String {
        CsvTable.read(text.as_bytes(), Path::new("a.csv")).unwrap_err().to_string()
    }

    #[test]
    fn quotes_line_ends_and_blank_rows() {
        check_blocks(
            &CsvTable,
            "# a note to editors\r\n# title: Fees\r\n\r\nservice,fee,note\r\n\
             \"Birth, late\",\"20 \"\"new\"\" shillings\",\"two\r\nlines\"\r\n\r\n,,\r\nDeath,,x",
            expect![[r#"
                | service | fee | note |
                | Birth, late | 20 "new" shillings | two lines |
                | Death |  | x |
            "#]],
        );
    }

    #[test]
    fn semicolons_and_tabs_are_recognised() {
        for table in ["a;\"b,c,d\"\n1;2", "a\t\"b,c,d\"\n1\t2"] {
            let parsed = CsvTable.read(table.as_bytes(), Path::new("a.csv")).unwrap();
            let header = vec!["a".to_owned(), "b,c,d".to_owned()];
            assert!(matches!(&parsed.blocks[..], [Block::Table(t)] if t.header == header));
        }
    }

    #[test]
    fn a_bad_table_is_named_by_line() {
        expect!["line 4: the row has 3 fields and the header has 2: give each column one field, in quotes where it holds a separator"]
            .assert_eq(&refused("# title: A\na,b\n1,2\n1,2,3\n"));
        expect!["line 1: column 2 has no name: name every column in the header"]
            .assert_eq(&refused("a,,c\n1,2,3"));
        expect![[r#"line 1: two columns are called "a": name them apart"#]]
            .assert_eq(&refused("a,a\n1,2"));
        expect![[r#"line 2: "author" is not a known key: use title, language, source_url, date, licence, reviewed"#]]
            .assert_eq(&refused("# title: A\n# author: B\na,b\n1,2"));
        expect!["there is no text in it: write some, or remove the file"]
            .assert_eq(&refused("# title: A\na,b\n"));
        assert!(refused("a,b\n\"x\ny\",1\n2\n").starts_with("line 4:"));
    }
}
