//! Command lines taken apart (V.250 §5).

/// One command of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// In capitals, with its sign: `+CMGF`, `E`, `&F`, `S3`, `D`.
    pub name: String,
    /// What is asked of it.
    pub form: Form,
    /// As it stood in the line.
    pub text: String,
}

/// What is asked of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// `+CSQ`, or a basic command and its number.
    Execute,
    /// `+CSQ?`
    Read,
    /// `+CSQ=?`
    Test,
    /// `+CMGF=1`, `E0`
    Set(Vec<Argument>),
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Argument {
    /// Without its quotes.
    pub text: String,
    /// Whether it had quotes.
    pub quoted: bool,
}

impl Argument {
    /// Its value as a number without quotes.
    pub fn number<N: std::str::FromStr>(&self) -> Option<N> {
        if self.quoted { None } else { self.text.parse().ok() }
    }

    /// Whether nothing stands between the commas.
    pub fn is_empty(&self) -> bool {
        !self.quoted && self.text.is_empty()
    }
}

/// The commands of a line, the `AT` taken off; `None` where it is malformed.
pub fn parse(body: &str) -> Option<Vec<Command>> {
    let mut commands = Vec::new();
    let mut rest = body.trim();
    while !rest.is_empty() {
        let (command, tail) = match rest.chars().next()? {
            ';' => {
                rest = rest.get(1..)?.trim_start();
                continue;
            }
            '+' | '^' | '*' | '$' | '#' | '%' => extended(rest)?,
            _ => basic(rest)?,
        };
        commands.push(command);
        rest = tail.trim_start();
    }
    Some(commands)
}

/// `+NAME`, `+NAME?`, `+NAME=?` or `+NAME=a,"b"`, up to a `;` outside quotes.
fn extended(text: &str) -> Option<(Command, &str)> {
    let mut quoted = false;
    let end = text
        .find(|c| {
            quoted ^= c == '"';
            c == ';' && !quoted
        })
        .unwrap_or(text.len());
    let (whole, tail) = text.split_at_checked(end)?;
    let length = whole
        .char_indices()
        .skip(1)
        .find(|(_, c)| !c.is_ascii_alphanumeric() && *c != '_')
        .map_or(whole.len(), |(at, _)| at);
    let (name, asked) = whole.split_at_checked(length)?;
    if name.len() < 2 {
        return None;
    }
    let form = match asked.trim() {
        "" => Form::Execute,
        "?" => Form::Read,
        "=?" => Form::Test,
        other => Form::Set(arguments(other.strip_prefix('=')?)?),
    };
    let command = Command { name: name.to_ascii_uppercase(), form, text: whole.to_owned() };
    Some((command, tail))
}

/// A letter or `&` and a letter, with an optional number; `S3=13`; `D…` takes
/// the rest of the line.
fn basic(text: &str) -> Option<(Command, &str)> {
    let mut letters = text.char_indices();
    let (_, first) = letters.next()?;
    let letter = if first == '&' { letters.next()?.1 } else { first };
    if !letter.is_ascii_alphabetic() {
        return None;
    }
    let name_length = if first == '&' { 2 } else { 1 };
    let (name, rest) = text.split_at_checked(name_length)?;
    let mut name = name.to_ascii_uppercase();
    if name == "D" {
        let argument = Argument { text: rest.to_owned(), quoted: false };
        let command = Command { name, form: Form::Set(vec![argument]), text: text.to_owned() };
        return Some((command, ""));
    }
    let (digits, mut rest) = rest.split_at_checked(digits_in(rest))?;
    let mut form = match digits {
        "" => Form::Execute,
        _ => Form::Set(vec![Argument { text: digits.to_owned(), quoted: false }]),
    };
    if name == "S" {
        name.push_str(digits);
        form = Form::Execute;
    }
    if let Some(tail) = rest.strip_prefix('=') {
        let length = if tail.starts_with('?') { 1 } else { digits_in(tail) };
        let (value, tail) = tail.split_at_checked(length)?;
        form = match value {
            "?" => Form::Test,
            _ => Form::Set(vec![Argument { text: value.to_owned(), quoted: false }]),
        };
        rest = tail;
    } else if let Some(tail) = rest.strip_prefix('?') {
        form = Form::Read;
        rest = tail;
    }
    let used = text.len() - rest.len();
    Some((Command { name, form, text: text.get(..used)?.to_owned() }, rest))
}

fn digits_in(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())
}

/// Parameters between commas that stand outside quotes.
fn arguments(text: &str) -> Option<Vec<Argument>> {
    let mut arguments = vec![Argument::default()];
    let mut open = false;
    for character in text.chars() {
        let current = arguments.last_mut()?;
        match character {
            '"' => {
                open = !open;
                current.quoted = true;
            }
            ',' if !open => arguments.push(Argument::default()),
            ' ' if !open => {}
            other => current.text.push(other),
        }
    }
    if open { None } else { Some(arguments) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        let commands = parse(line).expect("a line");
        commands.into_iter().map(|c| format!("{} {:?}", c.name, shape(&c.form))).collect()
    }

    fn shape(form: &Form) -> String {
        match form {
            Form::Execute => "execute".to_owned(),
            Form::Read => "read".to_owned(),
            Form::Test => "test".to_owned(),
            Form::Set(a) => a.iter().map(|a| a.text.as_str()).collect::<Vec<_>>().join("|"),
        }
    }

    #[test]
    fn a_line_may_chain_commands() {
        assert_eq!(
            names("E0V1+CMGF=0;+CNMI=2,1,0,2;&F S3=13;+cpin?;^CURC=?"),
            [
                "E \"0\"",
                "V \"1\"",
                "+CMGF \"0\"",
                "+CNMI \"2|1|0|2\"",
                "&F \"execute\"",
                "S3 \"13\"",
                "+CPIN \"read\"",
                "^CURC \"test\"",
            ]
        );
    }

    #[test]
    fn quotes_keep_commas_and_semicolons() {
        assert_eq!(
            names("+CUSD=1,\"*100;1,2#\",15;+CSQ"),
            ["+CUSD \"1|*100;1,2#|15\"", "+CSQ \"execute\""]
        );
    }

    #[test]
    fn dialling_takes_the_rest_of_the_line() {
        assert_eq!(names("D*99***1#;"), ["D \"*99***1#;\""]);
    }

    #[test]
    fn nonsense_is_refused_and_nothing_panics() {
        for line in ["+", "+CMGF=\"0", "=", "é", "+é=1", "&", "&&", "+C MGF", "1", "S3=é"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
