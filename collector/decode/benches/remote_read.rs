//! Frames of a streamed remote read: 500 series of 13 labels, 120 samples each in one chunk, by what the samples do.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use decode::Limits;
use decode::remote_read::{decode_chunks, xor_chunk};
use model::time::{MAX_TIME_MS, MIN_TIME_MS};

#[allow(dead_code, reason = "the part that makes requests is not needed here")]
#[path = "../../../benches/peers/wire.rs"]
mod wire;

const SERIES: usize = 500;
const SAMPLES: usize = 120;

/// Appends a field of a message that holds bytes.
fn field(out: &mut Vec<u8>, number: u8, content: &[u8]) {
    out.push(number << 3 | 2);
    let mut len = content.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(content);
}

/// The payloads of the frames of all series, one behind the other.
fn frames(value: fn(usize, usize) -> f64, jitter_ms: i64) -> Bytes {
    let mut frames = Vec::new();
    for index in 0..SERIES {
        let samples: Vec<(i64, u64)> = (0..SAMPLES)
            .map(|n| {
                let late_ms = (n * 7919 + index) as i64 % (jitter_ms + 1);
                (1_700_000_000_000 + n as i64 * 15_000 + late_ms, value(index, n).to_bits())
            })
            .collect();
        let mut chunk = vec![0x18, 1];
        field(&mut chunk, 4, &xor_chunk(samples));
        let mut series = wire::kubelet(index);
        field(&mut series, 2, &chunk);
        field(&mut frames, 1, &series);
    }
    Bytes::from(frames)
}

/// A number that looks drawn.
fn drawn(index: usize, n: usize) -> f64 {
    ((index * SAMPLES + n) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as f64 / u64::MAX as f64
}

fn decode_frames(c: &mut Criterion) {
    let limits = Limits::default();
    let all = MIN_TIME_MS..=MAX_TIME_MS;
    let mut group = c.benchmark_group("remote read, samples");
    group.throughput(Throughput::Elements((SERIES * SAMPLES) as u64));
    for (name, frames) in [
        ("values that stay", frames(|index, _| index as f64, 0)),
        ("counters", frames(|index, n| (n * (index + 1)) as f64, 0)),
        ("counters, times that jitter", frames(|index, n| (n * (index + 1)) as f64, 5)),
        ("drawn values", frames(drawn, 0)),
    ] {
        let part = decode_chunks(&frames, all.clone(), &limits).expect("frames");
        assert_eq!((part.batch.series.len(), part.batch.samples.len()), (SERIES, SERIES * SAMPLES));
        println!("{name}: {:.2} bytes a sample, labels included", frames.len() as f64 / (SERIES * SAMPLES) as f64);
        group.bench_function(name, |b| {
            b.iter(|| decode_chunks(black_box(&frames), all.clone(), &limits).expect("frames"));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = decode_frames
}
criterion_main!(benches);
