//! One person's session: the place in the menus, and what an entry does there.

use std::collections::VecDeque;

use jibu_types::{Language, PhoneNumber, Timestamp};

use crate::page::{MenuPage, menu, pieces, under};
use crate::words::{Words, means_back, means_more, name, named, spoken};
use crate::{Config, Exchange, Line, QuestionId, Reply};

/// The longest question that is looked at, in characters.
const LONGEST_QUESTION: usize = 500;
/// How many places Back remembers.
const DEEPEST: usize = 8;

/// One session.
pub(crate) struct Session {
    /// None once the network has ended it.
    pub(crate) line: Option<Line>,
    pub(crate) caller: Option<PhoneNumber>,
    /// A gateway's text so far.
    pub(crate) history: String,
    /// Entries that were dialled at once and wait for their turn.
    pub(crate) queue: VecDeque<String>,
    /// Requests that wait for the next page.
    pub(crate) waiting: Vec<Exchange>,
    pub(crate) touched: Timestamp,
    pub(crate) search: Option<Search>,
    pub(crate) conversation: Option<String>,
    pub(crate) language: Option<Language>,
    place: Place,
    back: Vec<Place>,
    topic: Option<String>,
    trouble: Option<Trouble>,
    /// The answer came after its reader was told that it is looked for.
    unseen: bool,
}

/// A question that is being looked up.
pub(crate) struct Search {
    pub(crate) question: QuestionId,
    /// When its reader is told that it takes a while.
    pub(crate) patience_ends: Timestamp,
    /// Whether its reader was told, and may enter something.
    pub(crate) told: bool,
}

/// What an entry asks for beyond another page.
pub(crate) enum Want {
    /// Look this up.
    Ask(String),
    /// Send this answer by SMS, and end.
    SendText(String),
    /// Send what is being looked for by SMS, and end.
    SendSought,
}

#[derive(Clone)]
enum Place {
    Menu(Menu),
    /// A question is to be written.
    Write,
    /// An answer is looked for.
    Looking,
    Answer {
        by_sms: String,
        pages: Vec<String>,
        at: usize,
    },
}

#[derive(Clone)]
struct Menu {
    of: MenuOf,
    options: Vec<String>,
    /// The page.
    at: usize,
}

#[derive(Clone, PartialEq)]
enum MenuOf {
    Languages,
    Topics,
    Questions,
    /// What a question may have meant, with the conversation that knows their
    /// numbers: somebody may come back to it after another question.
    Meanings(Option<String>),
}

/// What the next page has to explain.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    LedNowhere,
    Failed,
}

enum Entry {
    Nothing,
    Number(u32),
    More,
    Back,
    Words(String),
}

impl Session {
    pub(crate) fn new(
        line: Line,
        caller: Option<PhoneNumber>,
        config: &Config,
        now: Timestamp,
    ) -> Self {
        let mut session = Session {
            line: Some(line),
            caller,
            history: String::new(),
            queue: VecDeque::new(),
            waiting: Vec::new(),
            touched: now,
            search: None,
            conversation: None,
            language: None,
            place: Place::Write,
            back: Vec::new(),
            topic: None,
            trouble: None,
            unseen: false,
        };
        match config.languages.as_slice() {
            [] => {}
            [only] => session.speak(*only, config),
            several => {
                let options = several.iter().map(|language| name(*language)).collect();
                session.place = Place::Menu(Menu { of: MenuOf::Languages, options, at: 0 });
            }
        }
        session
    }

    /// Goes on from the menu of languages, or begins without one.
    fn speak(&mut self, language: Language, config: &Config) {
        self.language = Some(language);
        let topics: Vec<String> = config
            .topics
            .iter()
            .filter(|topic| topic.language == language)
            .map(|topic| topic.title.clone())
            .collect();
        self.place = match topics.is_empty() {
            true => Place::Write,
            false => Place::Menu(Menu { of: MenuOf::Topics, options: topics, at: 0 }),
        };
    }

    fn go(&mut self, to: Place) {
        let from = std::mem::replace(&mut self.place, to);
        if !matches!(from, Place::Looking) {
            if self.back.len() >= DEEPEST {
                // The place where it all began stays.
                self.back.remove(1);
            }
            self.back.push(from);
        }
    }

    fn go_back(&mut self) {
        if let Some(place) = self.back.pop() {
            self.place = place;
            if matches!(&self.place, Place::Menu(menu) if menu.of == MenuOf::Topics) {
                self.topic = None;
            }
        }
    }

    /// The topic under which a question is asked.
    pub(crate) fn topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }

    /// Whether the caller may ask for an SMS.
    fn may_have_sms(&self, config: &Config) -> bool {
        config.sms && self.caller.is_some()
    }

    /// Takes in one entry.
    pub(crate) fn enter(&mut self, text: &str, config: &Config) -> Option<Want> {
        self.trouble = None;
        let entry = read(text);
        let was_unseen = std::mem::take(&mut self.unseen);
        let has_sms = self.may_have_sms(config);
        match (&mut self.place, entry) {
            (Place::Menu(menu), Entry::Words(words)) if menu.of == MenuOf::Languages => {
                match named(&words, &config.languages) {
                    Some(language) => self.choose_language(language, config),
                    None => return Some(self.ask(words)),
                }
            }
            (_, Entry::Words(words)) => return Some(self.ask(words)),
            // Whoever waited is shown the beginning, whichever key was entered.
            (_, Entry::Number(1) | Entry::More | Entry::Nothing) if was_unseen => {}
            (Place::Looking, Entry::Number(1) | Entry::More | Entry::Nothing) => {}
            (Place::Looking, Entry::Number(8)) if has_sms => {
                return Some(Want::SendSought);
            }
            (Place::Looking, Entry::Back) => {
                self.search = None;
                self.go_back();
            }
            (Place::Answer { by_sms, .. }, Entry::Number(8)) if has_sms => {
                return Some(Want::SendText(by_sms.clone()));
            }
            (Place::Answer { pages, at, .. }, Entry::More) if *at + 1 < pages.len() => *at += 1,
            (Place::Answer { at, .. }, Entry::Back) if *at > 0 => *at -= 1,
            (Place::Menu(menu), Entry::Back) if menu.at > 0 => menu.at -= 1,
            (_, Entry::Back) if !self.back.is_empty() => self.go_back(),
            (Place::Menu(_), entry) => return self.choose(entry, config),
            (Place::Write | Place::Looking | Place::Answer { .. }, _) => self.complain(),
        }
        None
    }

    fn complain(&mut self) {
        self.trouble = Some(Trouble::LedNowhere);
    }

    fn choose(&mut self, entry: Entry, config: &Config) -> Option<Want> {
        let laid_out = self.menu_pages(config);
        let Place::Menu(menu) = &mut self.place else { return None };
        let on_page = laid_out.get(menu.at).map(|page| page.options.clone()).unwrap_or_default();
        let chosen = match entry {
            Entry::More if menu.at + 1 < laid_out.len() => {
                menu.at += 1;
                return None;
            }
            Entry::Number(number) => usize::try_from(number)
                .ok()
                .and_then(|number| number.checked_sub(1))
                .and_then(|at| on_page.clone().nth(at)),
            _ => None,
        };
        let Some(chosen) = chosen else {
            self.complain();
            return None;
        };
        let label = menu.options.get(chosen).cloned().unwrap_or_default();
        match menu.of.clone() {
            MenuOf::Languages => {
                if let Some(language) = config.languages.get(chosen) {
                    self.choose_language(*language, config);
                }
                None
            }
            MenuOf::Topics => {
                let topic = config
                    .topics
                    .iter()
                    .find(|topic| Some(topic.language) == self.language && topic.title == label);
                let Some(topic) = topic else {
                    self.complain();
                    return None;
                };
                let questions = topic.questions.clone();
                self.go(match questions.is_empty() {
                    true => Place::Write,
                    false => Place::Menu(Menu { of: MenuOf::Questions, options: questions, at: 0 }),
                });
                self.topic = Some(label);
                None
            }
            MenuOf::Questions => Some(self.ask(label)),
            MenuOf::Meanings(conversation) => {
                self.conversation = conversation;
                Some(self.ask((chosen + 1).to_string()))
            }
        }
    }

    fn choose_language(&mut self, language: Language, config: &Config) {
        let languages = self.place.clone();
        self.speak(language, config);
        self.back.push(languages);
    }

    fn ask(&mut self, text: String) -> Want {
        self.go(Place::Looking);
        Want::Ask(text)
    }

    /// Takes in what was found.
    pub(crate) fn answered(&mut self, reply: Reply, config: &Config) {
        let told = self.search.take().is_some_and(|search| search.told);
        let place = match reply {
            Reply::Text { text, brief, language } => {
                self.language = self.language.or(Some(language));
                let text = config.limits.tidy(&text);
                let pages = pieces(&text, &self.longest_keys(config), &config.limits);
                Place::Answer { by_sms: brief.unwrap_or(text), pages, at: 0 }
            }
            Reply::Choose { labels, language } if !labels.is_empty() => {
                self.language = self.language.or(Some(language));
                let of = MenuOf::Meanings(self.conversation.clone());
                Place::Menu(Menu { of, options: labels, at: 0 })
            }
            Reply::Choose { .. } | Reply::Failed => {
                self.go_back();
                self.trouble = Some(Trouble::Failed);
                return;
            }
        };
        self.place = place;
        self.unseen = told && self.waiting.is_empty();
    }

    fn words(&self, config: &Config) -> &'static Words {
        spoken(self.language, config.languages.first().copied())
    }

    /// The page of this place.
    pub(crate) fn page(&mut self, config: &Config) -> String {
        self.unseen = false;
        let words = self.words(config);
        let trouble = self.trouble;
        match &self.place {
            Place::Menu(menu) => {
                let pages = self.menu_pages(config);
                let (at, last) = (menu.at, menu.at + 1 >= pages.len());
                let keys = self.keys(config, !last, false, at > 0 || !self.back.is_empty());
                let text = pages.into_iter().nth(at).map(|page| page.text).unwrap_or_default();
                under(&text, &keys)
            }
            Place::Write => {
                let said = match trouble {
                    None => words.write,
                    Some(Trouble::LedNowhere) => words.write_again,
                    Some(Trouble::Failed) => words.failed,
                };
                self.said(said, config)
            }
            Place::Looking => {
                let said = if trouble.is_some() { words.keys_again } else { words.looking };
                let show = format!("1.{}", words.show);
                let keys = self.keys(config, false, true, true);
                clipped(said, &format!("{show} {keys}"), config)
            }
            Place::Answer { pages, at, .. } => {
                let keys = self.keys(config, at + 1 < pages.len(), true, true);
                let said = match trouble {
                    None => pages.get(*at).map(String::as_str).unwrap_or_default(),
                    Some(Trouble::LedNowhere) => words.keys_again,
                    Some(Trouble::Failed) => words.failed,
                };
                clipped(said, &keys, config)
            }
        }
    }

    /// Some words of ours over the keys.
    fn said(&self, said: &str, config: &Config) -> String {
        clipped(said, &self.keys(config, false, false, !self.back.is_empty()), config)
    }

    /// The last page of a session whose answer goes by SMS.
    pub(crate) fn farewell(&self, config: &Config) -> String {
        clipped(self.words(config).sms_follows, "", config)
    }

    fn menu_pages(&self, config: &Config) -> Vec<MenuPage> {
        let Place::Menu(Menu { of, options, .. }) = &self.place else { return Vec::new() };
        let words = self.words(config);
        let title = match (of, self.trouble) {
            (_, Some(Trouble::LedNowhere)) => words.choose_again,
            (_, Some(Trouble::Failed)) => words.failed,
            (MenuOf::Languages, None) => config.service_name.as_str(),
            (_, None) => words.choose,
        };
        let line = |label: &String| config.limits.tidy(label).replace('\n', " ");
        let options: Vec<String> = options.iter().map(line).collect();
        // A complaint must not move an option to another page.
        let room = match of {
            MenuOf::Languages => config.service_name.as_str(),
            _ => words.choose,
        };
        let longest = self.keys(config, true, false, true);
        let mut pages = menu(&config.limits.tidy(room), &options, &longest, &config.limits);
        if self.trouble.is_some() {
            for page in &mut pages {
                let labels: Vec<&str> = page.text.lines().collect();
                let first = labels.len().saturating_sub(page.options.len());
                let list = labels.get(first..).unwrap_or_default().join("\n");
                let explained = under(title, &list);
                if config.limits.fits(&under(&explained, &longest)) {
                    page.text = explained;
                }
            }
        }
        pages
    }

    fn longest_keys(&self, config: &Config) -> String {
        self.keys(config, true, true, true)
    }

    fn keys(&self, config: &Config, more: bool, sms: bool, back: bool) -> String {
        let words = self.words(config);
        let mut keys = Vec::new();
        if more {
            keys.push(format!("9.{}", words.more));
        }
        if sms && self.may_have_sms(config) {
            keys.push(format!("8.{}", words.sms));
        }
        if back {
            keys.push(format!("0.{}", words.back));
        }
        keys.join(" ")
    }
}

/// Words over keys; words of ours that do not fit give way to the keys.
fn clipped(said: &str, keys: &str, config: &Config) -> String {
    let said = pieces(said, keys, &config.limits).into_iter().next().unwrap_or_default();
    under(&said, keys)
}

/// What was entered, whatever digits and letters the phone has.
fn read(text: &str) -> Entry {
    let text: String = text.trim().chars().take(LONGEST_QUESTION).collect();
    let bare = text.trim_matches(|c: char| !c.is_alphanumeric());
    if bare.is_empty() {
        return Entry::Nothing;
    }
    if bare.chars().all(|c| digit(c).is_some()) {
        // A number too long for a menu is still a number.
        let number = bare
            .chars()
            .filter_map(digit)
            .fold(0u32, |number, digit| number.saturating_mul(10).saturating_add(digit));
        return match number {
            0 => Entry::Back,
            9 => Entry::More,
            number => Entry::Number(number),
        };
    }
    let word = bare.to_lowercase();
    match () {
        () if means_back(&word) => Entry::Back,
        () if means_more(&word) => Entry::More,
        () if bare.chars().any(char::is_alphabetic) => Entry::Words(text),
        () => Entry::Nothing,
    }
}

/// A decimal digit of the scripts that phones write.
fn digit(c: char) -> Option<u32> {
    const ZEROS: [char; 9] = ['0', '٠', '۰', '०', '০', '๐', '໐', '၀', '០'];
    let of = |zero: char| u32::from(c).checked_sub(u32::from(zero)).filter(|digit| *digit < 10);
    // Ethiopic has no zero.
    ZEROS.into_iter().find_map(of).or_else(|| {
        u32::from(c).checked_sub(u32::from('፩')).map(|at| at + 1).filter(|digit| *digit < 10)
    })
}
