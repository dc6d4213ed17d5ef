//! Text to token ids: Unigram segmentation (Kudo 2018) with the vocabulary of
//! `tokenizer.json`, giving the ids that the PyPI package `tokenizers` gives.
//!
//! The pieces are kept in a finite-state map of about 1 MB; the usual hash trie
//! would need more memory than the rest of the daemon.
//!
//! One thing differs on purpose: in `tokenizers`, text that spells a special
//! token, such as `</s>`, becomes that token. Here a person's words are words.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

use crate::error::ModelError;

#[derive(Debug)]
pub(crate) struct Tokenizer {
    /// Piece to token id, without the special tokens.
    pieces: fst::Map<Vec<u8>>,
    /// Log-probabilities by token id.
    scores: Vec<f32>,
    unknown_score: f64,
    unknown: u32,
    begin: u32,
    end: u32,
}

/// Stands at the start of every word, and for the space before it.
const METASPACE: char = '\u{2581}';

/// An unknown character costs this much more than the rarest piece.
const UNKNOWN_PENALTY: f64 = 10.0;

/// No piece is longer: 16 characters of up to 4 bytes.
const LONGEST_PIECE: usize = 64;

impl Tokenizer {
    /// Reads `tokenizer.json`.
    pub(crate) fn parse(path: &Path, json: &[u8]) -> Result<Self, ModelError> {
        Self::build(json).map_err(|what| ModelError::Layout { path: path.to_owned(), what })
    }

    /// How many tokens there are.
    pub(crate) fn pieces(&self) -> usize {
        self.scores.len()
    }

    /// A text's token ids between the tokens that mark its ends, cut after
    /// `limit` of them in all.
    pub(crate) fn encode(&self, text: &str, limit: usize) -> Vec<u32> {
        let mut tokens = vec![self.begin];
        self.each_word(text, limit, |_, token, _| {
            tokens.push(token);
            tokens.len()
        });
        tokens.truncate(room(limit) + 1);
        tokens.push(self.end);
        tokens
    }

    /// As [`Tokenizer::encode`], with the bytes of the text that each token
    /// stands for; those that mark the ends stand for none.
    ///
    /// Where normalisation changed a word, its tokens stand for the whole word.
    pub(crate) fn encode_with_places(&self, text: &str, limit: usize) -> Vec<(u32, Range<usize>)> {
        let places = places(text);
        let mut tokens = vec![(self.begin, 0..0)];
        self.each_word(text, limit, |word, token, bytes| {
            let place = places.get(word.at).cloned().unwrap_or(text.len()..text.len());
            let inside = |at: usize| place.start + at.saturating_sub(METASPACE.len_utf8());
            let unchanged = text[place.clone()].starts_with(&word.text[METASPACE.len_utf8()..]);
            let own = if unchanged { inside(bytes.start)..inside(bytes.end) } else { place };
            tokens.push((token, own));
            tokens.len()
        });
        tokens.truncate(room(limit) + 1);
        tokens.push((self.end, text.len()..text.len()));
        tokens
    }

    /// Tells the tokens of each word, with their bytes in it, until so many have
    /// been told as there is room for; `tell` says how many they are.
    fn each_word(
        &self,
        text: &str,
        limit: usize,
        mut tell: impl FnMut(&Word, u32, Range<usize>) -> usize,
    ) {
        let room = room(limit);
        let mut lattice = Lattice::default();
        let mut word = Word::default();
        let mut told = 1;
        // What follows is normalised only as far as there is room.
        let mut characters = text.chars().filter_map(nmt).nfkc();
        while told <= room {
            let character = characters.next();
            match character {
                Some(c) if !c.is_whitespace() => {
                    if word.text.is_empty() {
                        word.text.push(METASPACE);
                    }
                    // A script without spaces can make a word of a whole page.
                    if word.text.len() < room.saturating_mul(LONGEST_PIECE) {
                        word.text.push(c);
                    }
                }
                _ => {
                    if !word.text.is_empty() {
                        self.segment(&word.text, &mut lattice);
                        for (token, bytes) in lattice.best_path(self.unknown) {
                            told = tell(&word, token, bytes);
                        }
                        word.text.clear();
                        word.at += 1;
                    }
                    if character.is_none() {
                        break;
                    }
                }
            }
        }
    }

    /// Finds the most probable segmentation of one word.
    fn segment(&self, word: &str, lattice: &mut Lattice) {
        lattice.reset(word.len());
        for (start, character) in word.char_indices() {
            // Every character is reached, as a piece or as an unknown one.
            let Some(base) = lattice.score(start) else { continue };
            let after = start + character.len_utf8();
            let mut single = false;
            self.prefixes(&word.as_bytes()[start..], |length, token| {
                single |= start + length == after;
                let score = self.scores.get(token as usize).map_or(0.0, |s| f64::from(*s));
                lattice.offer(start + length, Node { score: base + score, start, token });
            });
            if !single {
                let score = base + self.unknown_score;
                lattice.offer(after, Node { score, start, token: self.unknown });
            }
        }
    }

    /// Calls with the length and id of each piece that the bytes start with.
    fn prefixes(&self, bytes: &[u8], mut found: impl FnMut(usize, u32)) {
        let fst = self.pieces.as_fst();
        let mut node = fst.root();
        let mut output = 0;
        for (index, byte) in bytes.iter().enumerate() {
            let Some(next) = node.find_input(*byte) else { return };
            let transition = node.transition(next);
            output += transition.out.value();
            node = fst.node(transition.addr);
            if node.is_final() {
                found(index + 1, (output + node.final_output().value()) as u32);
            }
        }
    }

    fn build(json: &[u8]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        if !document.normalizer.is_ours() || !document.pre_tokenizer.is_ours() {
            return Err("Nmt, NFKC, a split at whitespace and Metaspace are wanted".into());
        }
        let special = |content: &str| {
            let token = document.added_tokens.iter().find(|token| token.content == content);
            token.map(|token| token.id).ok_or_else(|| format!("it lacks the token {content}"))
        };
        let (begin, end) = (special("<s>")?, special("</s>")?);

        let Model { unk_id, vocab, .. } = document.model;
        let scores: Vec<f32> = vocab.iter().map(|piece| piece.1 as f32).collect();
        let lowest = scores.iter().copied().fold(f32::INFINITY, f32::min);
        if !lowest.is_finite() || u32::try_from(scores.len()).is_err() {
            return Err("its scores are no log-probabilities".into());
        }
        if [unk_id, begin, end].into_iter().any(|id| id as usize >= scores.len()) {
            return Err("a special token is not in the vocabulary".into());
        }

        let mut pieces: Vec<(&[u8], u64)> =
            vocab.iter().zip(0..).map(|(piece, id)| (piece.0.as_bytes(), id)).collect();
        pieces
            .retain(|(_, id)| document.added_tokens.iter().all(|token| u64::from(token.id) != *id));
        pieces.sort_unstable();
        let pieces = fst::Map::from_iter(pieces).map_err(|error| error.to_string())?;
        let unknown_score = f64::from(lowest) - UNKNOWN_PENALTY;
        Ok(Tokenizer { pieces, scores, unknown_score, unknown: unk_id, begin, end })
    }
}

/// A word in normal form, behind the sign that starts it.
#[derive(Default)]
struct Word {
    /// Which word of the text it is.
    at: usize,
    text: String,
}

/// How many tokens have room between the two that mark the ends.
fn room(limit: usize) -> usize {
    limit.saturating_sub(2)
}

/// The best way found so far to reach each byte of a word.
#[derive(Default)]
struct Lattice {
    nodes: Vec<Option<Node>>,
}

#[derive(Clone, Copy)]
struct Node {
    score: f64,
    start: usize,
    token: u32,
}

impl Lattice {
    fn reset(&mut self, length: usize) {
        self.nodes.clear();
        self.nodes.resize(length + 1, None);
    }

    /// The score of the best path to a byte; zero at the start.
    fn score(&self, at: usize) -> Option<f64> {
        if at == 0 { Some(0.0) } else { Some(self.nodes.get(at)?.as_ref()?.score) }
    }

    /// Takes the node if none as good leads to `end`; the first of equals wins.
    fn offer(&mut self, end: usize, node: Node) {
        if let Some(place) = self.nodes.get_mut(end)
            && place.is_none_or(|best| node.score > best.score)
        {
            *place = Some(node);
        }
    }

    /// The tokens of the best path with their bytes. A run of unknown characters
    /// is one unknown token.
    fn best_path(&self, unknown: u32) -> Vec<(u32, Range<usize>)> {
        let mut path: Vec<(u32, Range<usize>)> = Vec::new();
        let mut end = self.nodes.len().saturating_sub(1);
        while let Some(Some(node)) = self.nodes.get(end) {
            match path.last_mut() {
                Some((token, bytes)) if *token == unknown && node.token == unknown => {
                    bytes.start = node.start;
                }
                _ => path.push((node.token, node.start..end)),
            }
            end = node.start;
        }
        path.reverse();
        path
    }
}

/// Where in a text the words are that normalisation leaves: what it makes a
/// space parts them. A character that becomes several words is the place of each.
fn places(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut inside = false;
    for (at, character) in text.char_indices() {
        let after = at + character.len_utf8();
        for image in nmt(character).into_iter().nfkc() {
            if image.is_whitespace() {
                inside = false;
                continue;
            }
            match found.last_mut() {
                Some(word) if inside => word.end = after,
                _ => found.push(at..after),
            }
            inside = true;
        }
    }
    found
}

/// The Nmt rules of SentencePiece: control characters vanish, and what looks
/// like a space is one.
fn nmt(character: char) -> Option<char> {
    match character {
        '\u{1}'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{8f}' | '\u{9f}' => None,
        '\u{9}'
        | '\u{a}'
        | '\u{c}'
        | '\u{d}'
        | '\u{1680}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'
        | '\u{2029}'
        | METASPACE
        | '\u{feff}'
        | '\u{fffd}' => Some(' '),
        other => Some(other),
    }
}

/// `tokenizer.json`, as far as it is used.
#[derive(Deserialize)]
struct Document<'a> {
    added_tokens: Vec<AddedToken>,
    normalizer: Normalizer,
    pre_tokenizer: PreTokenizer,
    #[serde(borrow)]
    model: Model<'a>,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

#[derive(Deserialize)]
struct Model<'a> {
    #[serde(rename = "type")]
    _kind: Unigram,
    unk_id: u32,
    #[serde(borrow)]
    vocab: Vec<Piece<'a>>,
}

#[derive(Deserialize)]
enum Unigram {
    Unigram,
}

#[derive(Deserialize)]
struct Piece<'a>(#[serde(borrow)] Cow<'a, str>, f64);

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Normalizer {
    Sequence {
        normalizers: Vec<Normalizer>,
    },
    Nmt,
    #[serde(rename = "NFKC")]
    Nfkc,
}

impl Normalizer {
    fn is_ours(&self) -> bool {
        let Normalizer::Sequence { normalizers } = self else { return false };
        matches!(normalizers.as_slice(), [Normalizer::Nmt, Normalizer::Nfkc])
    }
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum PreTokenizer {
    Sequence { pretokenizers: Vec<PreTokenizer> },
    WhitespaceSplit,
    Metaspace { replacement: char, prepend_scheme: String },
}

impl PreTokenizer {
    fn is_ours(&self) -> bool {
        let PreTokenizer::Sequence { pretokenizers } = self else { return false };
        matches!(
            pretokenizers.as_slice(),
            [
                PreTokenizer::WhitespaceSplit,
                PreTokenizer::Metaspace { replacement: METASPACE, prepend_scheme },
            ] if prepend_scheme == "always"
        )
    }
}

#[cfg(test)]
#[path = "tokenizer_tests.rs"]
mod tests;
