use std::path::Path;

use jibu_types::{Date, Language};
use scraper::node::Element;
use scraper::{ElementRef, Html, Node, Selector};

use super::blocks::Builder;
use super::{Parsed, ReadError, Reader, decode};
use crate::Meta;

/// A web page, also a broken one: the parser is the browsers' (HTML Standard
/// §13.2). Of the page `<main>` is read where there is one, without what serves
/// to find one's way or to run.
pub(super) struct HtmlPage;

impl Reader for HtmlPage {
    fn extensions(&self) -> &'static [&'static str] {
        &["html", "htm", "xhtml"]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Parsed, ReadError> {
        let text = decode(bytes)?;
        let page = Html::parse_document(&text);
        let main = first(&page, "main, [role=main]");
        let mut builder = Builder::default();
        walk(main.unwrap_or_else(|| page.root_element()), &mut builder);
        let blocks = builder.finish();
        if blocks.is_empty() {
            return Err(ReadError::Empty);
        }
        Ok(Parsed { meta: meta(&page), blocks })
    }
}

/// Adds the blocks of a piece of HTML.
pub(super) fn fragment(html: &str, builder: &mut Builder) {
    let page = Html::parse_document(html);
    walk(page.root_element(), builder);
    builder.end_block();
}

fn meta(page: &Html) -> Meta {
    let title = first(page, "head title").map(|title| title.text().collect::<String>());
    let language =
        page.root_element().attr("lang").or_else(|| page.root_element().attr("xml:lang"));
    let canonical = first(page, "link[rel=canonical][href]").and_then(|link| link.attr("href"));
    let licence = first(page, "link[rel=license][href]").and_then(|link| link.attr("href"));
    let dates = "meta[name=date], meta[name='dcterms.date'], meta[name='dcterms.modified'], \
                 meta[property='article:modified_time'], meta[property='article:published_time']";
    let date = first(page, dates).and_then(|date| date.attr("content")?.get(..10));
    let line = |text: &str| Some(jibu_answer::text::normalise_line(text)).filter(|t| !t.is_empty());
    Meta {
        title: title.as_deref().and_then(line),
        language: language.and_then(|code| Language::parse(code).ok()),
        // An address without a host helps nobody who is elsewhere.
        source_url: canonical.filter(|url| url.contains("://")).and_then(line),
        date: date.and_then(|date| Date::parse(date).ok()),
        licence: licence.and_then(line),
        reviewed: None,
    }
}

fn first<'a>(page: &'a Html, selector: &str) -> Option<ElementRef<'a>> {
    page.select(&Selector::parse(selector).ok()?).next()
}

/// Goes through the tree without recursion: a page may nest as deep as it likes.
fn walk(root: ElementRef<'_>, builder: &mut Builder) {
    let mut pre = 0usize;
    let mut node = *root;
    loop {
        let mut enter = true;
        match node.value() {
            Node::Text(text) if pre > 0 => {
                for (at, line) in text.split('\n').enumerate() {
                    if at > 0 {
                        builder.line_break();
                    }
                    builder.text(line);
                }
            }
            Node::Text(text) => builder.flowing_text(text),
            Node::Element(element) if is_left_out(element) => enter = false,
            Node::Element(element) => {
                pre += usize::from(element.name() == "pre");
                open(element, builder);
            }
            _ => {}
        }
        if let Some(child) = node.first_child().filter(|_| enter) {
            node = child;
            continue;
        }
        loop {
            if let Node::Element(element) = node.value()
                && !is_left_out(element)
            {
                pre -= usize::from(element.name() == "pre" && pre > 0);
                close(element, builder);
            }
            if node.id() == root.id() {
                return;
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            let Some(parent) = node.parent() else { return };
            node = parent;
        }
    }
}

fn is_left_out(element: &Element) -> bool {
    let hidden = element.attr("hidden").is_some()
        || element.attr("aria-hidden") == Some("true")
        || element.attr("role") == Some("navigation");
    let name = element.name();
    #[rustfmt::skip]
    let silent = matches!(name,
        "head" | "script" | "style" | "noscript" | "template" | "nav" | "footer" | "iframe" | "svg"
        | "object" | "canvas" | "audio" | "video" | "button" | "select" | "textarea" | "dialog");
    hidden || silent
}

fn open(element: &Element, builder: &mut Builder) {
    match element.name() {
        "br" => builder.line_break(),
        "ul" | "menu" | "dl" => builder.start_list(None),
        "ol" => {
            let start = element.attr("start").and_then(|start| start.trim().parse().ok());
            builder.start_list(Some(start.unwrap_or(1)));
        }
        "li" => builder.start_item(),
        "dt" => builder.start_term(),
        "table" => builder.start_table(),
        "tr" => builder.start_row(),
        "td" | "th" => {
            let span = |name| element.attr(name).and_then(|n| n.trim().parse().ok()).unwrap_or(1);
            builder.start_cell(element.name() == "th", span("colspan"), span("rowspan"));
        }
        "img" => builder.flowing_text(&format!(" {} ", element.attr("alt").unwrap_or_default())),
        name if is_block(name) => builder.end_block(),
        _ => {}
    }
}

fn close(element: &Element, builder: &mut Builder) {
    match element.name() {
        "h1" => builder.end_heading(1),
        "h2" => builder.end_heading(2),
        "h3" => builder.end_heading(3),
        "h4" => builder.end_heading(4),
        "h5" => builder.end_heading(5),
        "h6" => builder.end_heading(6),
        "ul" | "menu" | "dl" | "ol" => builder.end_list(),
        "li" => builder.end_item(),
        "dt" => builder.end_term(),
        "table" => builder.end_table(),
        "td" | "th" => builder.end_cell(),
        name if is_block(name) => builder.end_block(),
        _ => {}
    }
}

fn is_block(name: &str) -> bool {
    #[rustfmt::skip]
    let block = matches!(name,
        "address" | "article" | "aside" | "blockquote" | "body" | "caption" | "dd" | "details" | "div"
        | "fieldset" | "figcaption" | "figure" | "form" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6"
        | "header" | "hr" | "html" | "legend" | "main" | "p" | "pre" | "section" | "summary");
    block
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::read::tests::check_blocks;

    fn check(text: &str, blocks: Expect) {
        check_blocks(&HtmlPage, text, blocks);
    }

    #[test]
    fn a_page_says_what_it_is() {
        let page = "<!doctype html><html lang=sw-TZ><head><title>Homa &amp;\n baridi</title>\
            <link rel=canonical href=https://example.org/homa><meta name=date content=2026-01-31T08:00>\
            <link rel=license href=https://creativecommons.org/licenses/by/4.0/></head><p>Homa";
        let parsed = HtmlPage.read(page.as_bytes(), Path::new("a.html")).unwrap();
        expect![[r#"
            Meta {
                title: Some(
                    "Homa & baridi",
                ),
                language: Some(
                    Language(sw),
                ),
                source_url: Some(
                    "https://example.org/homa",
                ),
                date: Some(
                    Date(
                        2026-01-31,
                    ),
                ),
                licence: Some(
                    "https://creativecommons.org/licenses/by/4.0/",
                ),
                reviewed: None,
            }
        "#]]
        .assert_debug_eq(&parsed.meta);
    }

    #[test]
    fn what_is_not_text_is_left_out() {
        check(
            "<body><nav>Home</nav><script>x<y</script><style>p{}</style><main><h1>Fees</h1>\
             <p>Birth: <b>free</b>.<br>Death:\n   free.<p hidden>secret</main><footer>(c)</footer>",
            expect![[r#"
                # Fees
                ¶ Birth: free.⏎Death: free.
            "#]],
        );
    }

    #[test]
    fn broken_html_is_read_as_browsers_read_it() {
        check(
            "<h2>A<h3>B</h2><p>one<div>two</p></b><ul><li>x<li>y<ol start=4><li>y4</ul>tail &lt;5 &eacute;&nbsp;&#x41;",
            expect![[r#"
                ## A
                ### B
                ¶ one
                ¶ two
                - x
                - y
                  4. y4
                ¶ tail <5 é A
            "#]],
        );
    }

    #[test]
    fn tables_with_spans_and_row_headers() {
        check(
            "<table><caption>Fees</caption><thead><tr><th>Service<th>Fee<th>Days</thead>\
             <tr><th>Birth<td rowspan=2>free<td>7<tr><td>Death<td>2<tr><td colspan=3>Closed on Sunday\
             </table><table><tr><td>only<tr><td>layout</table><table><tr><td>a<td>b<tr><td>c<td>d</table>",
            expect![[r#"
                ¶ Fees
                | Service | Fee | Days |
                | Birth | free | 7 |
                | Death | free | 2 |
                | Closed on Sunday | Closed on Sunday | Closed on Sunday |
                ¶ only
                ¶ layout
                |  |
                | a | b |
                | c | d |
            "#]],
        );
    }

    #[test]
    fn definition_lists_and_tables_in_cells() {
        check(
            "<dl><dt>ORS<dd>salts<dd>in water<dt>BCG<dd>a vaccine</dl>\
             <table><tr><th>A<th>B<tr><td><ul><li>p<li>q</ul><td><table><tr><td>in<td>ner</table></table>\
             <li>stray item<pre>two\n  lines</pre>",
            expect![[r#"
                - ORS: salts in water
                - BCG: a vaccine
                | A | B |
                | p q | in ner |
                - stray item two lines
            "#]],
        );
    }

    #[test]
    fn deep_nesting_does_not_end_the_program() {
        let page = format!("{}deep{}", "<div><ul><li>".repeat(3_000), "</b>");
        let parsed = HtmlPage.read(page.as_bytes(), Path::new("a.html")).unwrap();
        assert!(format!("{:?}", parsed.blocks).contains("deep"));
    }

    #[test]
    fn a_page_without_text_is_refused() {
        let empty = HtmlPage.read(b"<html><script>1</script>", Path::new("a.html"));
        assert_eq!(empty, Err(ReadError::Empty));
    }
}
