"""Sends metrics as an application does, with OpenTelemetry's SDK, and says which rows they are in Prometheus' words.

What is recorded is written down here; times, and where a native histogram's buckets end up, come from what the exporter was
given. The rows follow from OpenTelemetry's data model and its rules for Prometheus, by hand.
"""

import math
import random
from dataclasses import dataclass, field

from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from native_histograms import Native, bits
from otlp_exporters import exporter, watch
from our_sql import key

# Name of the instrument: name of the family, its kind, unit and help.
FAMILIES = {
    "orders": ("orders_total", "counter", "", "Orders that came in."),
    "sent": ("sent_bytes_total", "counter", "bytes", ""),
    "open.orders": ("open_orders", "gauge", "", "Orders that wait."),
    "room.temperature": ("room_temperature_celsius", "gauge", "celsius", 'How warm it is, "inside".'),
    "disk.used": ("disk_used_ratio", "gauge", "", ""),
    "duration": ("duration_seconds", "histogram", "seconds", "How long an order takes."),
    "size": ("size_bytes", "histogram", "bytes", "How large an order is."),
}
BOUNDS = (0.005, 0.5, 2)
ROUNDS = 2
# Of a sender that names none.
ZERO_THRESHOLD = 1e-128
RESOURCE = {
    "service.name": "shop",
    "service.namespace": "europe",
    "k8s.cluster.name": "dublin",
    "host.cpu.count": 8,
    "zones": ["a", "b"],
}
TARGET = (("host_cpu_count", "8"), ("k8s_cluster_name", "dublin"), ("zones", '["a","b"]'))


@dataclass
class Recorded:
    """What has been recorded so far."""

    numbers: dict
    durations: list
    sizes: list


@dataclass
class Rows:
    """Rows of each table, the series named by its labels, with the name among them."""

    samples: dict = field(default_factory=dict)
    histograms: dict = field(default_factory=dict)
    starts: dict = field(default_factory=dict)
    exemplars: set = field(default_factory=set)
    kinds: dict = field(default_factory=dict)
    metadata: set = field(default_factory=set)


def traced(numbers):
    """A context whose span was sampled, and its ids as they are written."""
    trace_id, span_id = numbers.getrandbits(128) | 1, numbers.getrandbits(64) | 1
    span = SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(span)), f"{trace_id:032x}", f"{span_id:016x}"


def send(protocol, address, token, seed):
    """Records and exports: what the exporter was given, what had been recorded each time, and the traces with their spans."""
    given = exporter("metrics", protocol, address, token)
    exported = watch(given)
    reader = PeriodicExportingMetricReader(given, export_interval_millis=3_600_000)
    resource = RESOURCE | {"service.instance.id": protocol}
    view = View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation(max_size=20))
    provider = MeterProvider(resource=Resource(resource), metric_readers=[reader], views=[view])
    meter = provider.get_meter("sender", "1.0")

    def said(name, unit):
        return {"name": name, "unit": unit, "description": FAMILIES[name][3]}

    orders = meter.create_counter(**said("orders", "{order}"))
    sent = meter.create_counter(**said("sent", "By"))
    waiting = meter.create_up_down_counter(**said("open.orders", "1"))
    temperature = meter.create_gauge(**said("room.temperature", "Cel"))
    used = meter.create_gauge(**said("disk.used", "1"))
    duration = meter.create_histogram(**said("duration", "s"), explicit_bucket_boundaries_advisory=BOUNDS)
    size = meter.create_histogram(**said("size", "By"))
    numbers = random.Random(seed)
    orders_of, bytes_sent, open_orders, durations, sizes = {"book": 0, "pen": 0}, 0.0, 0, [], []
    recorded, ids = [], {}
    for _ in range(ROUNDS):
        context, trace_id, span_id = traced(numbers)
        ids[trace_id] = span_id
        for kind in orders_of:
            count = numbers.randrange(1, 1 << 40)
            orders.add(count, {"shop.kind": kind, "paid": True}, context)
            orders_of[kind] += count
        amount, change = numbers.random(), numbers.randrange(-9, 9)
        sent.add(amount)
        bytes_sent += amount
        waiting.add(change, {"étage": "zwölf"})
        open_orders += change
        warmth, part = numbers.uniform(-20, 40), numbers.random()
        temperature.set(warmth, {"room": 'hall "A"\n'})
        used.set(part)
        for value in [0.005, 0.25, numbers.uniform(0.5, 2), numbers.uniform(2, 9)]:
            duration.record(value, {"shop.kind": "pen"}, context)
            durations.append(value)
        for value in [0, numbers.uniform(1, 9), numbers.uniform(1000, 90_000)]:
            size.record(value, None, context)
            sizes.append(value)
        numbers_of = {("orders_total", (("paid", "true"), ("shop_kind", kind))): n for kind, n in orders_of.items()}
        numbers_of |= {
            ("sent_bytes_total", ()): bytes_sent,
            ("open_orders", (("key_tage", "zwölf"),)): open_orders,
            ("room_temperature_celsius", (("room", 'hall "A"\n'),)): warmth,
            ("disk_used_ratio", ()): part,
        }
        recorded.append(Recorded(numbers_of, list(durations), list(sizes)))
        assert provider.force_flush(), f"{protocol}: the flush failed"
    # Which sends once more what there is.
    provider.shutdown()
    recorded.append(recorded[-1])
    assert [result for _, result in exported] == [MetricExportResult.SUCCESS] * (ROUNDS + 1), f"{exported}"
    return [data for data, _ in exported], recorded, ids


def sum_of(point, values):
    """The sum that the SDK made, in an order of its own, once it is known to be one of these values."""
    assert math.isclose(point.sum, math.fsum(values), rel_tol=1e-12), f"{point} {values}"
    return point.sum


def buckets(sizes, scale):
    """How many fall into each bucket of a native histogram; one ends at 2^(index / 2^scale)."""
    found = {}
    for size in sizes:
        if size:
            index = math.ceil(math.log2(size) * 2**scale)
            found[index] = found.get(index, 0) + 1
    return tuple(sorted(found.items()))


class Told:
    """Gathers the rows of one sender."""

    def __init__(self, protocol):
        self.rows = Rows()
        # The cluster is who the token says, so what the resource says is a label.
        self.common = [("job", "europe/shop"), ("instance", protocol), ("exported_cluster", "dublin")]

    def series(self, name, kind, labels):
        found = key(name, [*self.common, *labels])
        self.rows.kinds[found] = kind
        return found

    def sample(self, name, kind, labels, point, value, has_start=True):
        series, time_ms = self.series(name, kind, labels), point.time_unix_nano // 1_000_000
        self.rows.samples.setdefault(series, {})[time_ms] = bits(value)
        if has_start:
            # It is told where it changes: of none of these after its first point.
            self.rows.starts.setdefault(series, (time_ms, point.start_time_unix_nano // 1_000_000))
        return series

    def exemplars(self, point, series_of, ids):
        for exemplar in point.exemplars:
            trace_id = f"{exemplar.trace_id:032x}"
            assert f"{exemplar.span_id:016x}" == ids[trace_id]
            own = ("span_id", ids[trace_id]), ("trace_id", trace_id)
            time_ms = exemplar.time_unix_nano // 1_000_000
            self.rows.exemplars.add((series_of(exemplar.value), time_ms, bits(exemplar.value), own))

    def number(self, name, kind, point, recorded, ids):
        labels = {"shop.kind": "shop_kind", "étage": "key_tage"}
        values = {True: "true"}
        pairs = tuple(sorted((labels.get(k, k), values.get(v, v)) for k, v in point.attributes.items()))
        series = self.sample(name, kind, pairs, point, recorded.numbers[name, pairs], point.start_time_unix_nano is not None)
        self.exemplars(point, lambda _: series, ids)

    def classic(self, name, point, recorded, ids):
        kind = [("shop_kind", "pen")]
        series = {}
        for bound, le in zip((*BOUNDS, math.inf), ("0.005", "0.5", "2", "+Inf"), strict=True):
            below = sum(value <= bound for value in recorded.durations)
            series[bound] = self.sample(f"{name}_bucket", "histogram", [*kind, ("le", le)], point, below)
        self.sample(f"{name}_count", "histogram", kind, point, len(recorded.durations))
        self.sample(f"{name}_sum", "histogram", kind, point, sum_of(point, recorded.durations))
        self.exemplars(point, lambda value: series[min(bound for bound in series if value <= bound)], ids)

    def native(self, name, point, recorded, ids):
        series, sizes = self.series(name, "histogram", []), recorded.sizes
        self.rows.histograms.setdefault(series, {})[point.time_unix_nano // 1_000_000] = Native(
            start_time_ms=point.start_time_unix_nano // 1_000_000,
            schema=point.scale,
            count=len(sizes),
            sum_bits=bits(sum_of(point, sizes)),
            zero_threshold=ZERO_THRESHOLD,
            zero_count=sizes.count(0),
            positive=buckets(sizes, point.scale),
            negative=(),
        )
        self.exemplars(point, lambda _: series, ids)


def rows(protocol, exported, recorded, ids):
    """The rows that these exports are."""
    told = Told(protocol)
    told.rows.metadata = set(FAMILIES.values()) | {("target_info", "info", "", "Target metadata")}
    for data, state in zip(exported, recorded, strict=True):
        metrics, times = data.resource_metrics[0].scope_metrics[0].metrics, set()
        assert {metric.name for metric in metrics} == FAMILIES.keys()
        for metric in metrics:
            name, kind, _, _ = FAMILIES[metric.name]
            for point in metric.data.data_points:
                times.add(point.time_unix_nano)
                if metric.name == "duration":
                    told.classic(name, point, state, ids)
                elif metric.name == "size":
                    told.native(name, point, state, ids)
                else:
                    told.number(name, kind, point, state, ids)
        assert len(times) == 1, "one time for all points of an export"
        told.sample("target_info", "info", TARGET, point, 1, has_start=False)
    return told.rows
