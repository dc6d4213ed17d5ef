use std::path::Path;

use jibu_answer::sentences::list_marker;

use super::{Block, Item, Parsed, ReadError, Reader, decode, front_matter};

/// Plain text after optional front matter: paragraphs between empty lines,
/// lines that begin with a list marker as lists, underlined or short lines of
/// their own as headings.
pub(super) struct PlainText;

/// A line of its own is a heading up to this many characters.
const HEADING_CHARS: usize = 60;

/// A line that is this long ends where the file was wrapped.
const WRAPPED_FROM: usize = 45;

impl Reader for PlainText {
    fn extensions(&self) -> &'static [&'static str] {
        &["txt", "text"]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Parsed, ReadError> {
        let text = decode(bytes)?;
        let (meta, body) = front_matter(&text)?;
        let mut blocks = Vec::new();
        let stanzas: Vec<Vec<&str>> = stanzas(body);
        for (at, lines) in stanzas.iter().enumerate() {
            let last = at + 1 == stanzas.len();
            match lines.as_slice() {
                [line] if !last && is_heading(line) => blocks.push(heading(2, line)),
                [line, under, rest @ ..] if let Some(level) = underline(under) => {
                    blocks.push(heading(level, line));
                    running(rest, &mut blocks);
                }
                lines => running(lines, &mut blocks),
            }
        }
        if blocks.is_empty() { Err(ReadError::Empty) } else { Ok(Parsed { meta, blocks }) }
    }
}

/// The lines of a text, grouped between empty ones.
fn stanzas(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let groups = lines.split(|line| line.trim().is_empty());
    groups.filter(|lines| !lines.is_empty()).map(<[&str]>::to_vec).collect()
}

fn heading(level: u8, line: &str) -> Block {
    Block::Heading { level, text: line.trim().to_owned() }
}

/// The level that a line of `===` or `---` gives the line above it.
fn underline(line: &str) -> Option<u8> {
    let line = line.trim();
    let all = |mark| line.len() >= 3 && line.bytes().all(|byte| byte == mark);
    if all(b'=') {
        Some(1)
    } else if all(b'-') {
        Some(2)
    } else {
        None
    }
}

/// Whether a line between empty ones reads as a heading of what follows.
fn is_heading(line: &str) -> bool {
    let line = line.trim();
    let ends_a_sentence =
        line.ends_with(|c: char| c.is_ascii_punctuation() && !matches!(c, ')' | '"'));
    line.chars().count() <= HEADING_CHARS
        && !ends_a_sentence
        && list_marker(line).is_none()
        && line.chars().any(char::is_alphabetic)
}

/// Paragraphs and lists of lines without an empty one between them.
fn running(lines: &[&str], blocks: &mut Vec<Block>) {
    let mut paragraph = String::new();
    let mut items: Vec<Item> = Vec::new();
    let mut before = "";
    for line in lines {
        let words = line.trim();
        if let Some(start) = list_marker(line) {
            let indent = line.len() - line.trim_start().len();
            let marker = line[indent..start].trim();
            let counts = marker.ends_with(['.', ')']);
            end_paragraph(&mut paragraph, blocks);
            items.push(Item {
                depth: usize::from(indent >= 2 && !items.is_empty()),
                marker: if counts { marker.to_owned() } else { "-".to_owned() },
                text: line[start..].trim().to_owned(),
            });
        } else if let Some(item) = items.last_mut() {
            // A wrapped item goes on in the next line.
            item.text.push(' ');
            item.text.push_str(words);
        } else {
            if !paragraph.is_empty() {
                paragraph.push(if is_wrapped(before, words) { ' ' } else { '\n' });
            }
            paragraph.push_str(words);
            before = words;
        }
    }
    end_paragraph(&mut paragraph, blocks);
    if !items.is_empty() {
        blocks.push(Block::List(items));
    }
}

/// Whether a line goes on in the next because the file was wrapped at some
/// width, not because a new line was meant.
fn is_wrapped(line: &str, next: &str) -> bool {
    line.chars().count() >= WRAPPED_FROM || next.starts_with(char::is_lowercase)
}

fn end_paragraph(paragraph: &mut String, blocks: &mut Vec<Block>) {
    if !paragraph.is_empty() {
        blocks.push(Block::Paragraph(std::mem::take(paragraph)));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::read::tests::check_blocks;

    #[test]
    fn text_shows_its_shape() {
        check_blocks(
            &PlainText,
            "\u{feff}Malaria\r\n=======\r\nFever and chills are\r\nsigns of malaria.\r\n\r\n\
             Where to go\r\n\r\nGo to:\r\n- the clinic\r\n  in town\r\n  * ward 3\r\n2) the post\r\n\r\n\
             Last line of its own",
            expect![[r#"
                # Malaria
                ¶ Fever and chills are signs of malaria.
                ## Where to go
                ¶ Go to:
                - the clinic in town
                  - ward 3
                2) the post
                ¶ Last line of its own
            "#]],
        );
    }

    #[test]
    fn an_empty_file_is_refused() {
        assert_eq!(PlainText.read(b" \n\n", Path::new("a.txt")), Err(ReadError::Empty));
        let only_meta = PlainText.read(b"---\ntitle: A\n---\n", Path::new("a.txt"));
        assert_eq!(only_meta, Err(ReadError::Empty));
    }
}
