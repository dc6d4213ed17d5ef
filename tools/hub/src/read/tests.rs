use std::fmt::Write as _;
use std::path::Path;

use expect_test::Expect;

use super::*;

/// Compares a text's blocks with a drawing of them: `#` before headings, `¶`
/// before paragraphs, items under their list, cells between bars.
pub(super) fn check_blocks(reader: &dyn Reader, text: &str, blocks: Expect) {
    let parsed = reader.read(text.as_bytes(), Path::new("test")).expect("a readable text");
    let mut drawing = String::new();
    for block in &parsed.blocks {
        match block {
            Block::Heading { level, text } => {
                writeln!(drawing, "{} {text}", "#".repeat(usize::from(*level)))
            }
            Block::Paragraph(text) => writeln!(drawing, "¶ {}", text.replace('\n', "⏎")),
            Block::List(items) => items.iter().try_for_each(|item| {
                writeln!(drawing, "{}{} {}", "  ".repeat(item.depth), item.marker, item.text)
            }),
            Block::Table(table) => {
                let header = std::iter::once(&table.header);
                header
                    .chain(&table.rows)
                    .try_for_each(|row| writeln!(drawing, "| {} |", row.join(" | ")))
            }
        }
        .expect("writing to a string");
    }
    blocks.assert_eq(&drawing);
}

#[test]
fn a_reader_is_found_by_the_ending_in_either_case() {
    for name in ["a.md", "A.MARKDOWN", "b.txt", "c.HTM", "c.html", "d.csv", "d.tsv"] {
        assert!(reader_for(Path::new(name)).is_some(), "{name}");
    }
    for name in ["a", "a.pdf", "md", ".md", "a.toml"] {
        assert!(reader_for(Path::new(name)).is_none(), "{name}");
    }
}

#[test]
fn line_ends_and_the_byte_order_mark_are_evened_out() {
    assert_eq!(decode("\u{feff}a\r\nb\rc\n".as_bytes()).unwrap(), "a\nb\nc\n");
}

#[test]
fn another_encoding_is_named_with_its_place() {
    assert_eq!(decode(b"one\ncaf\xe9"), Err(ReadError::NotUtf8 { byte: 8, line: 2 }));
    assert_eq!(decode(b"\xff\xfea\0"), Err(ReadError::Utf16));
}

#[test]
fn front_matter_ends_or_is_refused() {
    let (meta, rest) = front_matter("---\ntitle: A\n---\nText --- more").unwrap();
    assert_eq!((meta.title.as_deref(), rest), (Some("A"), "Text --- more"));
    let (meta, rest) = front_matter("+++\ntitle = \"A\"\n+++\nText").unwrap();
    assert_eq!((meta.title.as_deref(), rest), (Some("A"), "Text"));
    assert_eq!(front_matter("Text\n---\n").unwrap(), (Meta::default(), "Text\n---\n"));
    assert_eq!(front_matter("---\ntitle: A\n"), Err(ReadError::OpenMeta("---")));
    let error = front_matter("---\ntitle: A\nauthor: B\n---\n").unwrap_err();
    assert!(error.to_string().starts_with("line 3: \"author\""), "{error}");
}
