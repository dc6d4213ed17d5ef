use std::path::Path;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::blocks::Builder;
use super::{Parsed, ReadError, Reader, decode, front_matter, html};

/// CommonMark with tables, footnotes, task lists and strikethrough, after
/// optional front matter.
pub(super) struct Markdown;

impl Reader for Markdown {
    fn extensions(&self) -> &'static [&'static str] {
        &["md", "markdown"]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Parsed, ReadError> {
        let text = decode(bytes)?;
        let (meta, body) = front_matter(&text)?;
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS;
        let mut walk = Walk::default();
        Parser::new_ext(body, options).for_each(|event| walk.take(event));
        let blocks = walk.builder.finish();
        if blocks.is_empty() { Err(ReadError::Empty) } else { Ok(Parsed { meta, blocks }) }
    }
}

#[derive(Default)]
struct Walk {
    builder: Builder,
    /// HTML between Markdown, gathered until it ends.
    html: String,
}

impl Walk {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) => self.builder.text(&text),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.builder.text(&text),
            Event::SoftBreak => self.builder.text(" "),
            Event::HardBreak => self.builder.line_break(),
            Event::Rule => self.builder.end_block(),
            Event::Html(text) => self.html.push_str(&text),
            Event::InlineHtml(tag) if tag.to_ascii_lowercase().starts_with("<br") => {
                self.builder.line_break();
            }
            // Other tags have no words of their own; what they enclose comes
            // as text.
            Event::InlineHtml(_) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::List(number) => self.builder.start_list(number),
            Tag::Item => self.builder.start_item(),
            Tag::Table(_) => self.builder.start_table(),
            Tag::TableHead | Tag::TableRow => self.builder.start_row(),
            Tag::TableCell => self.builder.start_cell(false, 1, 1),
            Tag::Paragraph
            | Tag::Heading { .. }
            | Tag::BlockQuote(_)
            | Tag::CodeBlock(_)
            | Tag::FootnoteDefinition(_)
            | Tag::HtmlBlock => self.builder.end_block(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => self.builder.end_heading(number(level)),
            TagEnd::List(_) => self.builder.end_list(),
            TagEnd::Item => self.builder.end_item(),
            TagEnd::Table => self.builder.end_table(),
            TagEnd::TableHead => self.builder.row_was_header(),
            TagEnd::TableCell => self.builder.end_cell(),
            TagEnd::HtmlBlock => html::fragment(&std::mem::take(&mut self.html), &mut self.builder),
            TagEnd::Paragraph
            | TagEnd::BlockQuote(_)
            | TagEnd::CodeBlock
            | TagEnd::FootnoteDefinition => self.builder.end_block(),
            _ => {}
        }
    }
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::read::tests::check_blocks;

    fn check(text: &str, blocks: Expect) {
        check_blocks(&Markdown, text, blocks);
    }

    #[test]
    fn headings_paragraphs_and_breaks() {
        check(
            "# Malaria\n\nFever *and* **chills**,\nsee [the clinic](https://x.org).\\\nCall `112`.\n\n\
             Setext\n------\n\n> Quoted.\n\n---\n\n    indented code\n\n```\nfenced\n```\n\
             ![a mosquito](m.png) &amp; more &eacute;",
            expect![[r#"
                # Malaria
                ¶ Fever and chills, see the clinic.⏎Call 112.
                ## Setext
                ¶ Quoted.
                ¶ indented code
                ¶ fenced
                ¶ a mosquito & more é
            "#]],
        );
    }

    #[test]
    fn lists_keep_their_nesting_and_numbers() {
        check(
            "Do this:\n\n3. Wash\n4. Boil:\n   - one minute\n   - or three\n\n     high up\n   after\n5. Drink\n\n* [x] done\n* [ ] open",
            expect![[r#"
                ¶ Do this:
                3. Wash
                4. Boil:
                  - one minute
                  - or three high up after
                5. Drink
                - done
                - open
            "#]],
        );
    }

    #[test]
    fn tables_have_a_header_and_rows() {
        check(
            "| Fee | Days |\n|---|:-:|\n| 20 \\| 30 | *7* |\n| free |\n\nAfter.",
            expect![[r#"
                | Fee | Days |
                | 20 | 30 | 7 |
                | free |  |
                ¶ After.
            "#]],
        );
    }

    #[test]
    fn html_inside_is_read_as_html() {
        check(
            "Before <b>bold</b><br>line.\n\n<table><tr><th>A<th>B<tr><td>1<td>2</table>\n\n\
             <script>no()</script>\n\nNote[^1].\n\n[^1]: The note.",
            expect![[r#"
                ¶ Before bold⏎line.
                | A | B |
                | 1 | 2 |
                ¶ Note.
                ¶ The note.
            "#]],
        );
    }
}
