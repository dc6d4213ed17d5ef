use proptest::prelude::*;

use super::*;

fn site(name: &str) -> SiteName {
    SiteName::parse(name).unwrap()
}

fn invitation() -> Invitation {
    Invitation::new(site("mangochi-2"), [7; 10])
}

fn key() -> SiteKey {
    SiteKey::from_random([2; 32])
}

fn claim() -> Claim {
    Claim { site: site("mangochi-2"), key: key().public(), nonce: [9; 16] }
}

fn hub() -> HubKey {
    HubKey::from_random([1; 32])
}

fn grant() -> Grant {
    Grant {
        site: site("mangochi-2"),
        nonce: [9; 16],
        certificate: vec![0x30; 400],
        authority: vec![0x31; 400],
        hub: hub().public(),
        until: Timestamp::from_unix_seconds(1_800_000_000),
        collections: vec![CollectionName::parse("health-sw").unwrap()],
    }
}

#[test]
fn an_invitation_is_read_as_it_is_written_and_as_people_type_it() {
    let text = invitation().reveal();
    assert_eq!(text.len(), "mangochi-2:".len() + 24);
    assert_eq!(Invitation::parse(&text), Ok(invitation()));
    let typed = text.to_uppercase().replace('-', " ").replacen("MANGOCHI 2", "Mangochi-2", 1);
    assert_eq!(Invitation::parse(&format!(" {typed}\n")), Ok(invitation()));
    let zeros = Invitation::new(site("zomba"), *b"oooooooooo");
    let typed = zeros.reveal().replace('o', "0").replacen("z0mba", "zomba", 1);
    assert_eq!(Invitation::parse(&typed), Ok(zeros));
    assert!(!format!("{:?}", invitation()).contains(&text[11..15]));
}

#[test]
fn a_mistyped_invitation_is_noticed() {
    let text = invitation().reveal();
    for place in 0..text.len() {
        let mut typed = text.clone().into_bytes();
        if typed[place] == b'-' && place > 10 {
            continue;
        }
        typed[place] = if typed[place] == b'x' { b'y' } else { b'x' };
        let typed = String::from_utf8(typed).unwrap();
        assert_eq!(Invitation::parse(&typed), Err(InvitationError), "{typed}");
    }
    for bad in ["", ":", "mangochi-2", "mangochi-2:", "mangochi-2:é", &text[..text.len() - 1]] {
        assert_eq!(Invitation::parse(bad), Err(InvitationError), "{bad}");
    }
    assert_eq!(Invitation::parse(&format!("{text}a")), Err(InvitationError));
}

#[test]
fn whoever_has_the_code_is_certified_and_nobody_else() {
    let bytes = claim().enrol(&key(), &invitation());
    let asked = Asked::decode(&bytes).unwrap();
    assert_eq!((asked.site(), asked.is_invited()), (&claim().site, true));
    assert_eq!(asked.invited_by(&invitation()), Some(&claim()));
    assert_eq!(asked.invited_by(&Invitation::new(site("mangochi-2"), [8; 10])), None);
    assert_eq!(asked.invited_by(&Invitation::new(site("zomba"), [7; 10])), None);
    assert_eq!(asked.renewed_by(&key().public()), None);

    let reply = grant().seal(&invitation());
    assert_eq!(Grant::open(&reply, &claim(), &invitation()), Some(grant()));
    let again = Claim { nonce: [8; 16], ..claim() };
    assert_eq!(Grant::open(&reply, &again, &invitation()), None);
    let other = Invitation::new(site("mangochi-2"), [8; 10]);
    assert_eq!(Grant::open(&reply, &claim(), &other), None);
}

#[test]
fn nobody_has_a_key_certified_that_is_not_theirs() {
    let stolen = Claim { key: SiteKey::from_random([3; 32]).public(), ..claim() };
    assert!(Asked::decode(&stolen.enrol(&key(), &invitation())).is_none());
    assert!(Asked::decode(&stolen.renew(&key(), &key())).is_none());
}

#[test]
fn a_known_site_renews_with_its_old_key() {
    let new = SiteKey::from_random([3; 32]);
    let claim = Claim { key: new.public(), ..claim() };
    let bytes = claim.renew(&new, &key());
    let asked = Asked::decode(&bytes).unwrap();
    assert!(!asked.is_invited());
    assert_eq!(asked.renewed_by(&key().public()), Some(&claim));
    assert_eq!(asked.renewed_by(&new.public()), None);
    assert_eq!(asked.invited_by(&invitation()), None);

    let reply = grant().sign(&hub());
    assert_eq!(Grant::verify(&reply, &claim, &hub().public()), Some(grant()));
    let other = HubKey::from_random([4; 32]);
    assert_eq!(Grant::verify(&reply, &claim, &other.public()), None);
    assert_eq!(Grant::verify(&grant().sign(&other), &claim, &hub().public()), None);
    // One kind of answer is not the other.
    assert_eq!(Grant::verify(&grant().seal(&invitation()), &claim, &hub().public()), None);
    assert_eq!(Grant::open(&reply, &claim, &invitation()), None);
}

#[test]
fn a_changed_or_cut_message_is_none() {
    let messages = [claim().enrol(&key(), &invitation()), claim().renew(&key(), &key())];
    for bytes in &messages {
        let taken = |bytes: &[u8]| {
            Asked::decode(bytes).is_some_and(|asked| {
                asked.invited_by(&invitation()).is_some()
                    || asked.renewed_by(&key().public()).is_some()
            })
        };
        assert!(taken(bytes));
        for at in 0..bytes.len() {
            assert!(!taken(&bytes[..at]), "cut at {at}");
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(!taken(&changed), "byte {at}");
        }
    }
    let reply = grant().seal(&invitation());
    for at in 0..reply.len() {
        let mut changed = reply.clone();
        changed[at] ^= 1;
        assert_eq!(Grant::open(&changed, &claim(), &invitation()), None, "byte {at}");
        assert_eq!(Grant::open(&reply[..at], &claim(), &invitation()), None, "cut at {at}");
    }
}

#[test]
fn the_largest_grant_fits_a_message() {
    let long = CollectionName::parse(&"c".repeat(64)).unwrap();
    let grant = Grant {
        certificate: vec![0x30; 1500],
        authority: vec![0x31; 1500],
        collections: vec![long; MAX_COLLECTIONS],
        ..grant()
    };
    let bytes = grant.seal(&invitation());
    assert!(bytes.len() <= crate::wire::MAX_MESSAGE_BYTES, "{}", bytes.len());
    assert_eq!(Grant::open(&bytes, &claim(), &invitation()), Some(grant));
}

proptest! {
    #[test]
    fn bytes_from_anywhere_never_panic(
        kind in 4u8..8, bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,80}",
    ) {
        let framed = [&[kind], bytes.as_slice()].concat();
        prop_assert!(Asked::decode(&framed).is_none());
        prop_assert_eq!(Grant::open(&framed, &claim(), &invitation()), None);
        prop_assert_eq!(Grant::verify(&framed, &claim(), &hub().public()), None);
        prop_assert!(Invitation::parse(&text).is_err());
        let typed = format!("zomba:{text}");
        prop_assert!(Invitation::parse(&typed).is_err());
    }

    #[test]
    fn every_secret_is_written_and_read(secret in any::<[u8; 10]>()) {
        let invitation = Invitation::new(site("zomba"), secret);
        prop_assert_eq!(Invitation::parse(&invitation.reveal()), Ok(invitation));
    }
}
