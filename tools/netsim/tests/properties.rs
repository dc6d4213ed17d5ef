//! What must hold on any link, whatever the broker does.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use jibu_netsim::scenario::{self, Change, Story};
use jibu_netsim::{LinkModel, text};

fn story(passages: usize, changes: &[Change]) -> Story {
    let texts = text::invent(passages, &mut fastrand::Rng::with_seed(9));
    Story::new(&texts, changes, 9)
}

fn slow() -> LinkModel {
    LinkModel::new(32, 16, 0.0)
}

/// The shelf is checked at every staging (`World::check`): nothing unsigned,
/// old, forged or truncated gets so far, and every site ends at the newest
/// version.
fn lied_to(seeds: std::ops::Range<u64>) {
    let changes = [Change::Edited(1), Change::Rewritten(130), Change::Edited(6)];
    let story = story(160, &changes);
    for seed in seeds {
        scenario::hostile(&story, seed).unwrap();
    }
}

#[test]
fn a_hostile_broker_delays_and_no_more() {
    lied_to(0..60);
}

#[test]
#[ignore = "takes minutes"]
fn a_hostile_broker_delays_and_no_more_over_ten_thousand_seeds() {
    lied_to(1_000..11_000);
}

#[test]
fn a_power_cut_costs_one_chunk_at_most() {
    let story = story(200, &[]);
    for seed in 0..12 {
        let cuts = scenario::cuts(&story, slow(), 50, seed).unwrap();
        assert_eq!(cuts.cuts, 50);
        assert!(cuts.twice <= cuts.cuts && cuts.most_lost <= 1, "seed {seed}: {cuts:?}");
    }
}

#[test]
fn loss_and_an_outage_cost_little_more_than_what_tcp_sends_again() {
    let story = story(200, &[]);
    let without = scenario::outage(&story, slow(), Duration::ZERO, 1).unwrap().total();
    let lossy = LinkModel::new(32, 16, 0.2);
    let off = Duration::from_secs(3600);
    let sum: u64 =
        (0..10).map(|seed| scenario::outage(&story, lossy, off, seed).unwrap().total()).sum();
    // The mean of ten: one small collection has few packets, and luck weighs.
    assert!(sum * 100 <= without * 10 * 135, "{} bytes, lossless {without}", sum / 10);
}

#[test]
fn an_edit_costs_its_words() {
    for seed in 0..10 {
        let texts = text::invent(200, &mut fastrand::Rng::with_seed(seed));
        let story = Story::new(&texts, &[Change::Edited(1), Change::Edited(2)], seed);
        let updates = scenario::costs(&story, slow(), seed).unwrap();
        let (one, two) = (updates[1], updates[2]);
        assert!(one.application() <= 1000, "seed {seed}: {one:?}");
        assert!(two.payload() * 100 <= updates[0].payload() * 3, "seed {seed}: {two:?}");
    }
}

#[test]
fn the_hub_sends_as_much_to_many_sites_as_to_few() {
    for change in [Change::Edited(3), Change::Rewritten(150)] {
        let story = story(200, &[change]);
        // On a lossy link a pause looks like the end now and then.
        for (link, percent) in [(slow(), 100), (LinkModel::new(32, 16, 0.2), 125)] {
            let few = scenario::fleet(&story, link, 3, 0.0, 1).unwrap();
            let many = scenario::fleet(&story, link, 120, 0.0, 1).unwrap();
            let (few, many) = (few.hub.published_bytes, many.hub.published_bytes);
            assert!(
                many * 100 <= few * percent,
                "{change:?}: {few} bytes to 3 sites, {many} to 120"
            );
        }
    }
}

#[test]
fn sites_that_are_away_for_a_day_catch_up() {
    let story = story(200, &[Change::Rewritten(150)]);
    let fleet = scenario::fleet(&story, LinkModel::new(64, 32, 0.1), 40, 0.5, 2).unwrap();
    assert!(fleet.took[2] < Duration::from_secs(26 * 3600));
}

#[test]
fn a_box_that_was_off_for_ninety_days_and_lost_its_clock_catches_up() {
    let story = story(200, &[Change::Edited(3); 10]);
    let lossy = LinkModel::new(32, 16, 0.2);
    let off = Duration::from_secs(90 * 24 * 3600);
    for seed in 0..5 {
        let update = scenario::absent(&story, lossy, off, seed).unwrap();
        assert!(update.took < Duration::from_secs(3600), "seed {seed}: {:?}", update.took);
    }
}

#[test]
fn a_hub_from_an_old_backup_takes_nobody_back() {
    let story = story(100, &[Change::Edited(3); 2]);
    for seed in 0..3 {
        scenario::backup(&story, LinkModel::new(32, 16, 0.2), 8, seed).unwrap();
    }
}

#[test]
fn a_seed_gives_one_world() {
    let story = story(60, &[Change::Rewritten(20)]);
    let once = scenario::hostile(&story, 5).unwrap();
    let again = scenario::hostile(&story, 5).unwrap();
    assert_eq!((once.deeds, once.took), (again.deeds, again.took));
}
