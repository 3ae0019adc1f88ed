//! Packs samples into XOR chunks, by our own reading of the format: for tests that read them back, and for the bench.

/// What the windows of values are measured against: the leading zeros that five bits can say.
const MAX_ABOVE: u32 = 31;

/// A chunk with these samples (milliseconds, bits of the value), of which it holds at most 65,535.
pub(crate) fn chunk(samples: &[(i64, u64)]) -> Vec<u8> {
    let mut writer = Writer::default();
    let (mut before, mut step, mut window) = ((0, 0), 0, None);
    for (index, &(time_ms, value)) in samples.iter().enumerate() {
        let new_step = time_ms.wrapping_sub(before.0);
        match index {
            0 => {
                writer.base_128((time_ms << 1 ^ time_ms >> 63) as u64);
                writer.bits(value, 64);
            }
            1 => {
                writer.base_128(new_step as u64);
                writer.change(before.1 ^ value, &mut window);
            }
            _ => {
                writer.step_change(new_step.wrapping_sub(step));
                writer.change(before.1 ^ value, &mut window);
            }
        }
        (before, step) = ((time_ms, value), new_step);
    }
    let count = u16::try_from(samples.len()).expect("no more than 65,535 samples");
    [&count.to_be_bytes()[..], &writer.bytes].concat()
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    /// Bits of the last byte that are not written yet.
    free: u32,
}

impl Writer {
    fn bits(&mut self, number: u64, count: u32) {
        for place in (0..count).rev() {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            self.free -= 1;
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((number >> place & 1) as u8) << self.free;
            }
        }
    }

    fn base_128(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bits(number & 0x7f | 0x80, 8);
            number >>= 7;
        }
        self.bits(number, 8);
    }

    fn step_change(&mut self, change: i64) {
        let (prefix, prefix_bits, bits) = match change {
            0 => return self.bits(0, 1),
            -8_191..=8_192 => (0b10, 2, 14),
            -65_535..=65_536 => (0b110, 3, 17),
            -524_287..=524_288 => (0b1110, 4, 20),
            _ => (0b1111, 4, 64),
        };
        self.bits(prefix, prefix_bits);
        self.bits(change as u64, bits);
    }

    /// Writes which bits of a value changed; `window` is the zeros above and below those of the last time.
    fn change(&mut self, changed: u64, window: &mut Option<(u32, u32)>) {
        if changed == 0 {
            return self.bits(0, 1);
        }
        let (above, below) = (changed.leading_zeros().min(MAX_ABOVE), changed.trailing_zeros());
        let (above, below) = match *window {
            Some((old_above, old_below)) if above >= old_above && below >= old_below => {
                self.bits(0b10, 2);
                (old_above, old_below)
            }
            _ => {
                *window = Some((above, below));
                self.bits(0b11, 2);
                self.bits(u64::from(above), 5);
                // 64 needs a seventh bit, which is left out: a window of none is never written.
                self.bits(u64::from(64 - above - below), 6);
                (above, below)
            }
        };
        self.bits(changed >> below, 64 - above - below);
    }
}
