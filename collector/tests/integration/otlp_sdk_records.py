"""Sends spans and log records as an application does: with OpenTelemetry's SDK, over the protocol and to the address given."""

import sys

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, StatusCode

protocol, address, compression = sys.argv[1:4]
if protocol == "http":
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    def given(signal):
        return {"endpoint": f"http://{address}/v1/{signal}", "compression": Compression(compression)}

else:
    import grpc
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    def given(signal):
        words = {"none": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip}
        return {"endpoint": f"http://{address}", "insecure": True, "compression": words[compression]}


resource = Resource({"service.name": "shop", "k8s.cluster.name": "rome", "k8s.namespace.name": "prod"})
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**given("traces"))))
tracer = traces.get_tracer("sender", "1.0")
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**given("logs"))))
logger = logs.get_logger("sender", "1.0")

START = 1_700_000_000_000_000_000
order = tracer.start_span("order", kind=SpanKind.SERVER, start_time=START, attributes={"route": "/orders", "items": 2})
order.set_status(StatusCode.ERROR, "out of stock")
order.add_event("retry", {"attempt": 3}, timestamp=START + 5)
order.end(START + 100)
later = tracer.start_span("refund", start_time=START + 200, links=[Link(order.get_span_context(), {"why": "late"})])
later.end(START + 250)

context = order.get_span_context()
for number, line in enumerate(["out of stock", {"item": "A-7", "left": 0}]):
    record = LogRecord(
        timestamp=START + number,
        observed_timestamp=START + 9,
        severity_number=SeverityNumber.ERROR,
        severity_text="ERROR",
        body=line,
        attributes={"sku": "A-7", "count": number},
    )
    record.trace_id, record.span_id, record.trace_flags = context.trace_id, context.span_id, context.trace_flags
    logger.emit(record)
assert traces.force_flush() and logs.force_flush()
traces.shutdown()
logs.shutdown()
