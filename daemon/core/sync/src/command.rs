//! What a hub wants of one site: the topic `s/SITE/cmd` holds, retained, every
//! command that the site has not yet carried out, signed together. `WIRE.md`
//! beside this crate has the bytes.
//!
//! Commands are numbered from 1 and carried out in order, each once: a site
//! keeps the highest number that it has done and says it in its states, and the
//! hub takes out what is done. A list that was held back or repeated therefore
//! does nothing twice.

use minicbor::{Decode, Encode};

use crate::hash::{from_cbor, to_cbor};
use crate::wire::{SiteName, body};
use crate::{HubKey, PublicKey, SignedRoot};

const COMMANDS: u8 = 0x0a;

/// Stands before a list when it is signed.
const CONTEXT: &[u8] = b"jibu command 1\0";

/// The most commands in one list; later ones wait.
pub const MAX_COMMANDS: usize = 16;

/// The most bytes of a reply to a person.
pub const MAX_REPLY_BYTES: usize = 1024;

/// The most bytes of what a site calls an asker by.
pub const MAX_ASKER_BYTES: usize = 32;

/// A command with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Counted from 1.
    pub number: u64,
    /// What to do.
    pub command: Command,
}

/// What a hub wants.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// Send a person's reply to whoever asked.
    Reply {
        /// What the site called the asker in [`crate::telemetry::Person`].
        asker: Vec<u8>,
        /// The reply.
        text: String,
    },
    /// Make a new key, and have it certified.
    RenewKey,
    /// Take a signed root as if it had come on its collection's topic: a version
    /// that only some sites are to have yet.
    Follow {
        /// The root as it travels, at most 1,024 bytes.
        root: Vec<u8>,
    },
    /// What the site may tell from now on.
    Policy {
        /// Whether it may tell questions that had no answer.
        unanswered: bool,
    },
}

/// Of a reply nothing is shown: it is a person's.
impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Command::Reply { text, .. } => write!(f, "Reply({} bytes)", text.len()),
            Command::RenewKey => write!(f, "RenewKey"),
            Command::Follow { root } => write!(f, "Follow({} bytes)", root.len()),
            Command::Policy { unanswered } => write!(f, "Policy(unanswered: {unanswered})"),
        }
    }
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Wire<'b> {
    #[n(0)]
    number: u64,
    #[b(1)]
    command: WireCommand<'b>,
}

#[derive(Encode, Decode)]
enum WireCommand<'b> {
    #[n(1)]
    Reply {
        #[b(0)]
        #[cbor(with = "minicbor::bytes")]
        asker: &'b [u8],
        #[b(1)]
        text: &'b str,
    },
    #[n(2)]
    RenewKey,
    #[n(3)]
    Policy {
        #[n(0)]
        unanswered: bool,
    },
    #[n(4)]
    Follow {
        #[b(0)]
        #[cbor(with = "minicbor::bytes")]
        root: &'b [u8],
    },
}

impl Command {
    /// The command's bytes, for a hub to keep.
    pub fn encode(&self) -> Vec<u8> {
        to_cbor(&wire_command(self))
    }

    /// Reads what [`Command::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        command(from_cbor(bytes)?)
    }
}

/// The message of a site's commands, in the order of their numbers: the first
/// of them that fit. Empty, which clears the topic, when there are none.
pub fn sign(commands: &[Numbered], site: &SiteName, key: &HubKey) -> Vec<u8> {
    let mut taken = commands.iter().take(MAX_COMMANDS).map(wire).collect::<Vec<_>>();
    loop {
        if taken.is_empty() {
            return Vec::new();
        }
        let mut bytes = vec![COMMANDS];
        bytes.append(&mut to_cbor(&taken));
        if bytes.len() + 64 <= crate::wire::MAX_MESSAGE_BYTES {
            let signature = key.sign(CONTEXT, &statement(site, &bytes));
            bytes.extend(signature);
            return bytes;
        }
        taken.pop();
    }
}

/// Reads a message that came for `site`. `None` when its hub has not signed it
/// for it, or it has another form.
pub fn verify(bytes: &[u8], site: &SiteName, hub: &PublicKey) -> Option<Vec<Numbered>> {
    let (signed, signature) = bytes.split_last_chunk::<64>()?;
    let commands = decode(bytes)?;
    hub.has_signed(CONTEXT, &statement(site, signed), signature).then_some(commands)
}

/// Reads a message without believing it.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<Numbered>> {
    let (signed, _) = body(COMMANDS, bytes)?.split_last_chunk::<64>()?;
    let list: Vec<Wire<'_>> = from_cbor(signed)?;
    if list.is_empty() || list.len() > MAX_COMMANDS {
        return None;
    }
    let numbered =
        |wire: Wire<'_>| Some(Numbered { number: wire.number, command: command(wire.command)? });
    let commands: Option<Vec<Numbered>> = list.into_iter().map(numbered).collect();
    commands.filter(|commands| commands.is_sorted_by(|one, next| one.number < next.number))
}

fn wire(numbered: &Numbered) -> Wire<'_> {
    Wire { number: numbered.number, command: wire_command(&numbered.command) }
}

fn wire_command(command: &Command) -> WireCommand<'_> {
    match command {
        Command::Reply { asker, text } => WireCommand::Reply { asker, text },
        Command::RenewKey => WireCommand::RenewKey,
        Command::Policy { unanswered } => WireCommand::Policy { unanswered: *unanswered },
        Command::Follow { root } => WireCommand::Follow { root },
    }
}

fn command(wire: WireCommand<'_>) -> Option<Command> {
    Some(match wire {
        WireCommand::Reply { asker, text } => {
            if asker.len() > MAX_ASKER_BYTES || text.len() > MAX_REPLY_BYTES {
                return None;
            }
            Command::Reply { asker: asker.to_vec(), text: text.to_owned() }
        }
        WireCommand::RenewKey => Command::RenewKey,
        WireCommand::Policy { unanswered } => Command::Policy { unanswered },
        WireCommand::Follow { root } if root.len() > SignedRoot::MAX_BYTES => return None,
        WireCommand::Follow { root } => Command::Follow { root: root.to_vec() },
    })
}

/// What is signed after the context: the site's name after its length in one
/// byte, then the list. One site's commands are never another's.
fn statement(site: &SiteName, list: &[u8]) -> Vec<u8> {
    let name = site.as_str().as_bytes();
    [&[name.len() as u8], name, list].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn site() -> SiteName {
        SiteName::parse("zomba").unwrap()
    }

    fn hub() -> HubKey {
        HubKey::from_random([1; 32])
    }

    fn commands() -> Vec<Numbered> {
        let reply = Command::Reply { asker: vec![7; 16], text: "Njoo Jumatatu.".to_owned() };
        let policy = Command::Policy { unanswered: true };
        let follow = Command::Follow { root: vec![1; 300] };
        let list = [reply, Command::RenewKey, policy, follow];
        list.into_iter().zip(4..).map(|(command, number)| Numbered { number, command }).collect()
    }

    #[test]
    fn commands_are_their_hubs_and_their_sites() {
        let bytes = sign(&commands(), &site(), &hub());
        assert_eq!(verify(&bytes, &site(), &hub().public()), Some(commands()));
        for Numbered { command, .. } in commands() {
            assert_eq!(Command::decode(&command.encode()), Some(command));
        }
        let other = SiteName::parse("zombo").unwrap();
        assert_eq!(verify(&bytes, &other, &hub().public()), None);
        assert_eq!(verify(&bytes, &site(), &HubKey::from_random([2; 32]).public()), None);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(verify(&changed, &site(), &hub().public()), None, "byte {at}");
            assert_eq!(verify(&bytes[..at], &site(), &hub().public()), None, "cut at {at}");
        }
    }

    #[test]
    fn what_does_not_fit_waits() {
        let long = Command::Reply { asker: vec![7; 32], text: "x".repeat(MAX_REPLY_BYTES) };
        let many: Vec<Numbered> =
            (1..40).map(|number| Numbered { number, command: long.clone() }).collect();
        let bytes = sign(&many, &site(), &hub());
        let sent = verify(&bytes, &site(), &hub().public()).unwrap();
        assert_eq!(sent, many[..sent.len()]);
        assert!(sent.len() >= 8);
        assert!(sign(&[], &site(), &hub()).is_empty());
    }

    #[test]
    fn a_disordered_list_is_none() {
        let mut twice = commands();
        twice[1].number = twice[0].number;
        assert_eq!(verify(&sign(&twice, &site(), &hub()), &site(), &hub().public()), None);
    }

    #[test]
    fn a_reply_is_not_shown() {
        assert!(!format!("{:?}", commands()).contains("Jumatatu"));
    }

    proptest! {
        #[test]
        fn bytes_from_anywhere_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let framed = [&[COMMANDS], bytes.as_slice()].concat();
            prop_assert_eq!(verify(&framed, &site(), &hub().public()), None);
            drop(decode(&framed));
        }
    }
}
