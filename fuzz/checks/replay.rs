//! Runs a check of a fuzz target on the target's seeds, and on drawn changes of each.

use std::path::Path;

/// Drawn changes of each seed.
const CHANGES: u64 = 200;

pub(crate) fn replay(target: &str, check: fn(&[u8])) {
    // Tests run in the folder of their package.
    let seeds = std::fs::read_dir(Path::new("../fuzz/seeds").join(target)).expect("seeds of the target");
    let mut count = 0;
    for seed in seeds {
        let path = seed.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a seed");
        check(&bytes);
        for change in 0..CHANGES {
            check(&changed(&bytes, change));
        }
        count += 1;
    }
    assert!(count > 2, "{target} has hardly any seeds");
}

/// The same change for the same number: bytes replaced, bits flipped, a piece cut out or said twice.
pub(crate) fn changed(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut state = number;
    let mut draw = |below: usize| {
        // Knuth, The Art of Computer Programming, volume 2, 3.3.4: the multiplier of MMIX.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    let mut out = bytes.to_vec();
    for _ in 0..=draw(4) {
        let at = draw(out.len());
        match draw(5) {
            _ if out.is_empty() => out.push(draw(256) as u8),
            0 => out[at] = draw(256) as u8,
            1 => out[at] ^= 1 << draw(8),
            2 => out[at] = [0, 1, 0x7f, 0x80, 0xff][draw(5)],
            3 => {
                let end = (at + 1 + draw(16)).min(out.len());
                out.drain(at..end);
            }
            _ => {
                let end = (at + 1 + draw(64)).min(out.len());
                out.extend_from_within(at..end);
            }
        }
    }
    out
}
