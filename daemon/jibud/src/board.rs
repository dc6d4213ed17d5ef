//! What Linux and the state store know of the board: its power, its card, its
//! temperature.

use std::path::Path;

use anyhow::Context;
use jibu_store::StateStore;

/// Names of settings: how often the power went, and the boot in which the daemon
/// runs or ended without being told to.
const CUTS: &str = "power cuts";
const RUNNING: &str = "running since boot";

/// How often the power went since this was counted first, this start included: a
/// start finds the mark of an earlier boot that nobody took off. A daemon that
/// fell over by itself comes back in the same boot, and is not counted.
///
/// # Errors
/// When the store refuses.
pub fn started(state: &mut StateStore, boot: &str) -> anyhow::Result<u32> {
    let cuts = state.setting(CUTS)?.and_then(|text| text.parse().ok()).unwrap_or(0u32);
    let was_cut = state.setting(RUNNING)?.is_some_and(|mark| !mark.is_empty() && mark != boot);
    let cuts = cuts.saturating_add(u32::from(was_cut));
    if was_cut {
        state.set_setting(CUTS, &cuts.to_string())?;
    }
    state.set_setting(RUNNING, boot)?;
    Ok(cuts)
}

/// The daemon ends because it was told to.
///
/// # Errors
/// When the store refuses.
pub fn ended(state: &mut StateStore) -> anyhow::Result<()> {
    Ok(state.set_setting(RUNNING, "")?)
}

/// What Linux calls this boot; another after each.
///
/// # Errors
/// When Linux does not tell.
pub fn boot() -> anyhow::Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    Ok(std::fs::read_to_string(path).context(path)?.trim().to_owned())
}

/// How much of an eMMC's life is used at most, in per cent, of the one that is
/// worst; 110 where it is past its end. `None` where no card tells, as SD cards
/// do not. `blocks` is `/sys/block` (JEDEC eMMC 5.0: EXT_CSD 268, 269 and 267).
pub fn card_wear(blocks: &Path) -> Option<u8> {
    let cards = std::fs::read_dir(blocks).ok()?.flatten();
    let cards = cards.filter(|block| block.file_name().to_string_lossy().starts_with("mmcblk"));
    let numbers = |card: &Path, name: &str| -> Vec<u8> {
        let text = std::fs::read_to_string(card.join("device").join(name)).unwrap_or_default();
        let hex = |word: &str| u8::from_str_radix(word.trim_start_matches("0x"), 16).ok();
        text.split_whitespace().filter_map(hex).collect()
    };
    let wear = |card: std::fs::DirEntry| {
        // Steps of a tenth, from 1 to 11; 0 says nothing.
        let life = numbers(&card.path(), "life_time").into_iter().filter(|n| (1..=11).contains(n));
        let life = life.max().map(|tenths| tenths * 10);
        // The reserve: 1 normal, 2 four fifths are used, 3 nine tenths.
        let reserve = numbers(&card.path(), "pre_eol_info").into_iter().max();
        life.max(match reserve {
            Some(2) => Some(80),
            Some(3) => Some(90),
            _ => None,
        })
    };
    cards.filter_map(wear).max()
}

/// The processor's temperature in tenths of a degree, where Linux tells one.
pub fn temperature() -> Option<i16> {
    let text = std::fs::read_to_string("/sys/class/thermal/thermal_zone0/temp").ok()?;
    i16::try_from(text.trim().parse::<i32>().ok()? / 100).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_boot_that_nobody_ended_is_a_power_cut() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = StateStore::open(folder.path().join("state.db")).unwrap();
        let mut cuts = |boot| started(&mut state, boot).unwrap();
        assert_eq!(cuts("one"), 0);
        assert_eq!(cuts("one"), 0, "the daemon fell over by itself");
        assert_eq!(cuts("two"), 1);
        ended(&mut state).unwrap();
        assert_eq!(started(&mut state, "three").unwrap(), 1);
        assert_eq!(started(&mut state, "four").unwrap(), 2);
    }

    #[test]
    fn a_cards_wear_is_that_of_its_worst_part() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(card_wear(&folder.path().join("nothing")), None);
        let card = |name: &str, life: &str, reserve: &str| {
            let device = folder.path().join(name).join("device");
            std::fs::create_dir_all(&device).unwrap();
            std::fs::write(device.join("life_time"), life).unwrap();
            std::fs::write(device.join("pre_eol_info"), reserve).unwrap();
        };
        card("sda", "0x0b 0x0b\n", "0x03\n");
        card("mmcblk1", "rubbish\n", "0x00\n");
        assert_eq!(card_wear(folder.path()), None);
        card("mmcblk0", "0x01 0x03\n", "0x01\n");
        assert_eq!(card_wear(folder.path()), Some(30));
        card("mmcblk0", "0x01 0x03\n", "0x02\n");
        assert_eq!(card_wear(folder.path()), Some(80));
        card("mmcblk0", "0x0b 0x01\n", "0x02\n");
        assert_eq!(card_wear(folder.path()), Some(110));
    }
}
