//! The kiosk: one question, and the passage with its answer marked.

use std::ops::Range;

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jibu_types::{Channel, Language};
use maud::{DOCTYPE, Markup, html};

use crate::labels::{Labels, labels};
use crate::{Asked, Asking, Citation, Question, Site};

pub(crate) async fn style() -> Response {
    let css = include_str!("kiosk.css");
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css).into_response()
}

pub(crate) async fn page<S: Site>(State(site): State<S>, Query(asking): Query<Asking>) -> Markup {
    let offered = site.languages();
    let chosen = Language::parse(&asking.language).ok().filter(|l| offered.contains(l));
    let text = asking.question.trim().to_owned();
    let shown = chosen.or(offered.first().copied()).unwrap_or(Language::EN);
    let words = labels(shown);

    let body = if text.is_empty() {
        html! {}
    } else {
        let question = Question { text: text.clone(), language: chosen, channel: Channel::Kiosk };
        match site.ask(question).await {
            Ok(asked) => answer(&asked),
            Err(_) => html! { p.answer { (words.again) } },
        }
    };
    html! {
        (DOCTYPE)
        html lang=(shown) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Jibu" }
                link rel="stylesheet" href="/kiosk.css";
            }
            body {
                header {
                    h1 { a href="/" { "Jibu" } }
                    (language_choice(&offered, shown, &text))
                }
                main {
                    (question_form(words, chosen, &text))
                    (body)
                }
            }
        }
    }
}

fn language_choice(offered: &[Language], shown: Language, text: &str) -> Markup {
    html! {
        nav {
            @for language in offered {
                form method="get" action="/" {
                    input type="hidden" name="language" value=(language);
                    @if !text.is_empty() { input type="hidden" name="question" value=(text); }
                    button lang=(language) aria-pressed=(*language == shown) {
                        (labels(*language).own_name)
                    }
                }
            }
        }
    }
}

fn question_form(words: &Labels, chosen: Option<Language>, text: &str) -> Markup {
    html! {
        form.ask method="get" action="/" {
            label for="question" { (words.title) }
            @if let Some(language) = chosen {
                input type="hidden" name="language" value=(language);
            }
            input #question name="question" type="search" value=(text) placeholder=(words.hint)
                maxlength="1000" autocomplete="off" autofocus[text.is_empty()];
            button type="submit" { (words.ask) }
        }
    }
}

fn answer(asked: &Asked) -> Markup {
    let words = labels(asked.language);
    // A menu's numbers are for phones; here is room for the passages themselves.
    let is_menu = asked.kind == "choose";
    let shown = asked.citations.iter().filter(|c| is_menu || !c.marks.is_empty());
    html! {
        section.answer data-kind=(asked.kind) lang=(asked.language) {
            @if is_menu {
                p { (words.perhaps) }
            } @else {
                @for page in &asked.pages { p { (page) } }
            }
        }
        @for citation in shown { (passage(citation, words)) }
        @if !asked.citations.is_empty() { p.machine { (words.machine) } }
    }
}

fn passage(citation: &Citation, words: &Labels) -> Markup {
    html! {
        article {
            h2 { (citation.title) }
            p.text { (marked(&citation.text, &citation.marks)) }
            footer {
                (words.source) ": " cite { (citation.document) }
                @if let Some(url) = &citation.source_url { " · " span.url { (url) } }
                @if let Some(date) = &citation.date { " · " (words.as_of) " " time { (date) } }
            }
        }
    }
}

/// The text with the ranges marked; a range that does not fit the text is left out.
fn marked(text: &str, marks: &[Range<usize>]) -> Markup {
    let mut marks = marks.to_vec();
    marks.sort_by_key(|mark| mark.start);
    let mut pieces = Vec::new();
    let mut done = 0;
    for mark in marks {
        let (Some(before), Some(inside)) =
            (text.get(done..mark.start), text.get(mark.start..mark.end))
        else {
            continue;
        };
        pieces.push((false, before));
        pieces.push((true, inside));
        done = mark.end;
    }
    pieces.push((false, text.get(done..).unwrap_or_default()));
    html! {
        @for (is_answer, piece) in pieces {
            @if is_answer { mark { (piece) } } @else { (piece) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_marked_and_markup_in_a_passage_is_text() {
        let html = marked("Wash <b>hands</b>. Boil water.", &[0..4, 19..30]).into_string();
        assert_eq!(html, "<mark>Wash</mark> &lt;b&gt;hands&lt;/b&gt;. <mark>Boil water.</mark>");
    }

    #[test]
    fn marks_that_do_not_fit_are_left_out() {
        let out_of_range: Range<usize> = 2..99;
        assert_eq!(marked("é a", &[1..2, out_of_range]).into_string(), "é a");
        assert_eq!(marked("abc", &[0..2, 1..3]).into_string(), "<mark>ab</mark>c");
    }
}
