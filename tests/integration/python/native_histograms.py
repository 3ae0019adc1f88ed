"""Native histograms as rows of our table, as messages of remote write 1.0, and as Prometheus answers them.

    Histogram{count_int = 1, count_float = 2, sum = 3, schema = 4, zero_threshold = 5, zero_count_int = 6, zero_count_float = 7,
              negative_spans = 8, negative_deltas = 9, negative_counts = 10, positive_spans = 11, positive_deltas = 12,
              positive_counts = 13, reset_hint = 14, timestamp = 15}
    BucketSpan{offset = 1, length = 2}
"""

import math
import struct
from dataclasses import dataclass

import protobuf
from prometheus_api import api, selector
from protobuf import field, number, unsigned, varint

STALE = 0x7FF0000000000002


def bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


@dataclass(frozen=True)
class Native:
    """A native histogram; buckets by their indexes, those without observations left out."""

    schema: int
    count: float
    sum_bits: int
    zero_threshold: float
    zero_count: float
    positive: tuple
    negative: tuple
    is_float: bool = False
    start_time_ms: int | None = None


def placed(runs, counts, what):
    """The buckets of one sign by their indexes, from runs of (offset, length) and counts."""
    found, index, counts = [], 0, iter(counts)
    for offset, length in runs:
        index += offset
        for _ in range(length):
            count = next(counts)
            # A run may go on over a bucket without anything in it.
            if count:
                found.append((index, count))
            index += 1
    assert next(counts, None) is None, f"counts beyond the runs: {what}"
    return tuple(found)


def of_row(row):
    """What a row of `histograms` is; `None` for a staleness marker."""
    suffix = "" if row["count_float"] is None else "_float"
    if row[f"count{suffix}"] is None:
        return None
    assert not row["custom_bounds"], row

    def sign(which):
        runs = zip(row[f"{which}_offsets"], row[f"{which}_lengths"], strict=True)
        return placed(runs, row[f"{which}_counts{suffix}"], row)

    return Native(
        schema=row["schema"],
        count=row[f"count{suffix}"],
        sum_bits=bits(row["sum"]),
        zero_threshold=row["zero_threshold"],
        zero_count=row[f"zero_count{suffix}"],
        positive=sign("positive"),
        negative=sign("negative"),
        is_float=bool(suffix),
        start_time_ms=row["start_time_ms"],
    )


def message(native, time_ms):
    """The message; `None` is a staleness marker."""
    if native is None:
        native = Native(0, 0, STALE, 0, 0, (), ())
    count, zero = (2, 7) if native.is_float else (1, 6)
    plain = protobuf.double if native.is_float else number
    out = plain(count, native.count) + protobuf.fixed(3, native.sum_bits) + number(4, unsigned(native.schema))
    out += protobuf.double(5, native.zero_threshold) + plain(zero, native.zero_count)
    for (spans, deltas, counts), buckets in (((8, 9, 10), native.negative), ((11, 12, 13), native.positive)):
        end = before = 0
        packed = b""
        for index, observations in buckets:
            out += field(spans, number(1, unsigned(index - end)) + number(2, 1))
            end = index + 1
            if native.is_float:
                packed += struct.pack("<d", observations)
            else:
                packed += varint(unsigned(observations - before))
            before = observations
        if buckets:
            out += field(counts if native.is_float else deltas, packed)
    return out + number(15, time_ms)


def as_answered(native):
    """What of a histogram the answer of a query tells: its counts as floats, and of the zero bucket only if it has something."""

    def floats(buckets):
        return tuple((index, float(count)) for index, count in buckets)

    return Native(
        schema=native.schema,
        count=float(native.count),
        sum_bits=native.sum_bits,
        zero_threshold=native.zero_threshold if native.zero_count else None,
        zero_count=float(native.zero_count),
        positive=floats(native.positive),
        negative=floats(native.negative),
        is_float=True,
    )


def of_answer(answered):
    """The histogram that a query of Prometheus answers as bounds and counts, which tell indexes and schema."""
    zero_threshold, zero_count, schemas, signs = None, 0.0, set(), {True: [], False: []}
    for _, *numbers in answered["buckets"]:
        lower, upper, count = map(float, numbers)
        if lower <= 0 <= upper:
            # It is cut off at zero where there is nothing beyond.
            zero_threshold, zero_count = max(-lower, upper), count
            continue
        inner, outer = sorted((abs(lower), abs(upper)))
        width = math.log2(outer) - math.log2(inner)
        schemas.add(round(-math.log2(width)))
        index = math.log2(outer) / width
        assert abs(index - round(index)) < 1e-6, f"no bound of a bucket: {outer}"
        signs[lower > 0].append((round(index), count))
    (schema,) = schemas
    return Native(
        schema=schema,
        count=float(answered["count"]),
        sum_bits=bits(float(answered["sum"])),
        zero_threshold=zero_threshold,
        zero_count=zero_count,
        positive=tuple(sorted(signs[True])),
        negative=tuple(sorted(signs[False])),
        is_float=True,
    )


def held(prometheus, start_ms, end_ms):
    """The native histograms of a Prometheus by series and time. Its remote read leaves them out (seen in 2.42); a query gives
    them, staleness markers left out. One query for each series: in one for all, 2.42 answers one series with another's rows."""
    found, span = {}, {"start": start_ms / 1000, "end": end_ms / 1000}
    for labels in api(prometheus, "series", **{"match[]": '{__name__=~".+"}'}, **span):
        series = tuple(sorted(labels.items()))
        query = f"{selector(series)}[{end_ms - start_ms}ms]"
        for result in api(prometheus, "query", query=query, time=end_ms / 1000)["result"]:
            assert result["metric"] == labels, f"{query} gives {result}"
            rows = {round(seconds * 1000): of_answer(histogram) for seconds, histogram in result.get("histograms", [])}
            found |= {series: rows} if rows else {}
    return found
