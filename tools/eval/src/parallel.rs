//! Work on many items, on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::anyhow;

/// Maps items; the results are in the items' order. `begin` makes what each
/// thread needs for itself.
///
/// # Errors
/// The error of the earliest item that gave one, or of a thread's beginning.
pub(crate) fn in_parallel<T: Sync, S, R: Send>(
    items: &[T],
    threads: usize,
    begin: impl Fn() -> anyhow::Result<S> + Sync,
    work: impl Fn(&mut S, &T) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, anyhow::Result<R>)>> = Mutex::default();
    // Poisoned only where a thread panicked, which ends the scope with a panic.
    let keep = |at, result| {
        if let Ok(mut done) = done.lock() {
            done.push((at, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                let mut state = match begin() {
                    Ok(state) => state,
                    Err(error) => return keep(0, Err(error)),
                };
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    let result = work(&mut state, item);
                    let failed = result.is_err();
                    keep(at, result);
                    if failed {
                        // Nobody needs the rest.
                        next.store(items.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().map_err(|_| anyhow!("a thread panicked"))?;
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parallel_work_keeps_its_order_and_tells_its_error() {
        let items: Vec<usize> = (0..500).collect();
        let begin = || Ok(());
        let doubled = in_parallel(&items, 4, begin, |(), n| Ok(n * 2)).unwrap();
        assert_eq!(doubled, items.iter().map(|n| n * 2).collect::<Vec<_>>());
        let seven = in_parallel(&items, 4, begin, |(), n| match n {
            7 => Err(anyhow!("seven")),
            _ => Ok(()),
        });
        assert_eq!(seven.unwrap_err().to_string(), "seven");
        let begun = in_parallel(&items, 4, || Err::<(), _>(anyhow!("no")), |(), n| Ok(*n));
        assert_eq!(begun.unwrap_err().to_string(), "no");
        assert!(in_parallel(&items[..0], 4, begin, |(), n| Ok(*n)).unwrap().is_empty());
    }
}
