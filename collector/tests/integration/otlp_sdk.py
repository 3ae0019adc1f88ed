"""Sends metrics as an application does: with OpenTelemetry's SDK, over the protocol and to the address given."""

import sys

from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

protocol, address, temporality, compression = sys.argv[1:5]
if protocol == "http":
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    given = {"endpoint": f"http://{address}/v1/metrics", "compression": Compression(compression)}
else:
    import grpc
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

    words = {"none": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip}
    given = {"endpoint": f"http://{address}", "insecure": True, "compression": words[compression]}

if temporality == "delta":
    kinds = (Counter, Histogram)
    given["preferred_temporality"] = {kind: AggregationTemporality.DELTA for kind in kinds}

reader = PeriodicExportingMetricReader(OTLPMetricExporter(**given), export_interval_millis=3_600_000)
provider = MeterProvider(
    resource=Resource({"service.name": "shop", "service.instance.id": "1", "region": "north"}),
    metric_readers=[reader],
    views=[View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation())],
)
meter = provider.get_meter("sender", "1.0")
orders = meter.create_counter("orders", unit="{order}", description="Orders.")
open_orders = meter.create_up_down_counter("open.orders")
duration = meter.create_histogram("duration", unit="s", explicit_bucket_boundaries_advisory=[0.5, 2])
size = meter.create_histogram("size", unit="By")
for value in (1, 2):
    orders.add(value, {"shop.kind": "book"})
    open_orders.add(5 * value - 7)
    duration.record(value)
    size.record(value)
    assert provider.force_flush()
provider.shutdown()
