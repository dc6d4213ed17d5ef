//! Bytes to lines and prompts.

/// Longer lines are garbage: the longest that a modem prints is a +CUSD string in
/// UCS-2 hex, under 800 characters.
const MAX_LINE: usize = 1024;

/// What stood on the wire.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A line without its end, never empty.
    Line(String),
    /// The prompt, `>` at the start of a line, which has no end (TS 27.005 §4.3).
    Prompt,
}

/// Cuts bytes into tokens. Keeps one line at most.
#[derive(Debug, Default)]
pub(super) struct Digester {
    line: Vec<u8>,
    overlong: bool,
}

impl Digester {
    /// Takes one byte, so that how the bytes were chunked cannot matter.
    pub(super) fn push(&mut self, byte: u8) -> Option<Token> {
        match byte {
            b'\r' | b'\n' => return self.end_line(),
            // NUL and 0xFF stand on the wire when a modem is switched on, XON and
            // XOFF when flow control is misconfigured.
            0..=b' ' | 0x7F.. if self.line.is_empty() => {}
            0..b' ' | 0x7F => {}
            b'>' if self.line.is_empty() && !self.overlong => return Some(Token::Prompt),
            _ if self.line.len() >= MAX_LINE => self.overlong = true,
            _ => self.line.push(byte),
        }
        None
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.line.len()
    }

    fn end_line(&mut self) -> Option<Token> {
        let garbage = std::mem::take(&mut self.overlong);
        let text = String::from_utf8_lossy(&self.line).trim_end().to_owned();
        self.line.clear();
        (!text.is_empty() && !garbage).then_some(Token::Line(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(bytes: &[u8]) -> Vec<Token> {
        let mut digester = Digester::default();
        bytes.iter().filter_map(|byte| digester.push(*byte)).collect()
    }

    fn line(text: &str) -> Token {
        Token::Line(text.to_owned())
    }

    #[test]
    fn every_kind_of_line_end_ends_a_line() {
        let expected = [line("+CSQ: 1,0"), line("OK")];
        assert_eq!(tokens(b"\r\n+CSQ: 1,0\r\n\r\nOK\r\n"), expected);
        assert_eq!(tokens(b"+CSQ: 1,0\nOK\n"), expected);
        assert_eq!(tokens(b"+CSQ: 1,0\r\r\nOK\r"), expected);
    }

    #[test]
    fn a_prompt_needs_no_line_end() {
        assert_eq!(tokens(b"\r\n> "), [Token::Prompt]);
        assert_eq!(
            tokens(b"\r\n> \r\n+CMTI: \"SM\",3\r\n"),
            [Token::Prompt, line("+CMTI: \"SM\",3")]
        );
        assert_eq!(tokens(b"a > b\r\n"), [line("a > b")]);
    }

    #[test]
    fn noise_around_a_line_is_dropped() {
        assert_eq!(tokens(b"\0\xFF\x11OK\x13 \r\n"), [line("OK")]);
    }

    #[test]
    fn an_overlong_line_is_dropped_whole() {
        let mut bytes = vec![b'A'; 100_000];
        bytes.extend_from_slice(b"\r\nOK\r\n");
        assert_eq!(tokens(&bytes), [line("OK")]);
    }
}
