"""Sends log records as an application does, with OpenTelemetry's SDK, and says which rows of `logs` they are."""

import time

from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from otlp_exporters import exporter, watch
from otlp_values import RESOURCES, SCOPES, WORDS, attributes, nested, shared, text, texts

RECORDS = 120
# So many records at most in a request.
BATCH = 50


def record(logger, numbers, now):
    """Emits a record; returns its own columns."""
    at, body, own = now - numbers.randrange(60_000_000_000), nested(numbers), attributes(numbers, nested)
    observed = at + numbers.randrange(1_000_000)
    has_time, event = numbers.random() < 0.8, numbers.choice([None, None, "order.failed"])
    severity, word = numbers.choice(list(SeverityNumber)), numbers.choice(["", "WARN", *WORDS[1:4]])
    ids = (numbers.getrandbits(128) | 1, numbers.getrandbits(64) | 1) if numbers.random() < 0.5 else (0, 0)
    flags = numbers.choice([TraceFlags.DEFAULT, TraceFlags.SAMPLED]) if any(ids) else 0
    span = NonRecordingSpan(SpanContext(*ids, is_remote=False, trace_flags=TraceFlags(flags)))
    logger.emit(
        timestamp=at if has_time else None,
        observed_timestamp=observed,
        context=trace.set_span_in_context(span),
        severity_number=severity,
        severity_text=word,
        body=body,
        attributes=own,
        event_name=event,
    )
    return {
        # Of a record without a time it is the one at which it was observed.
        "ts": at if has_time else observed,
        "observed_ts": observed,
        "severity_number": severity.value,
        "severity_text": word,
        "body": text(body),
        "trace_id": f"{ids[0]:032x}" if any(ids) else None,
        "span_id": f"{ids[1]:016x}" if any(ids) else None,
        "flags": int(flags),
        "attributes": texts(own) | ({"event.name": event} if event else {}),
    }


def send(cluster, protocol, address, token, numbers):
    """Emits and exports log records; returns their rows."""
    rows, now = [], time.time_ns()
    for resource in RESOURCES:
        given = exporter("logs", protocol, address, token)
        exported = watch(given)
        provider = LoggerProvider(resource=Resource(resource), shutdown_on_exit=False)
        provider.add_log_record_processor(BatchLogRecordProcessor(given, max_export_batch_size=BATCH))
        for _ in range(RECORDS // len(RESOURCES)):
            scope = numbers.choice(SCOPES)
            name, version, of_scope = scope
            own = record(provider.get_logger(name, version, attributes=of_scope), numbers, now)
            columns, from_scope = shared(cluster, resource, scope)
            rows.append(columns | own | {"attributes": from_scope | own["attributes"]})
        provider.shutdown()
        assert {result for _, result in exported} == {LogRecordExportResult.SUCCESS}, f"{exported}"
    return rows
