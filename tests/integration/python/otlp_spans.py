"""Sends spans as an application does, with OpenTelemetry's SDK, and says which rows of `spans` they are.

The rows follow from what was recorded and from OpenTelemetry's data model; of the SDK there are only the ids that it draws.
Its exporters send no state of links, and of the flags only whether the parent is elsewhere.
"""

import time
import traceback

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from otlp_exporters import exporter, watch
from otlp_values import RESOURCES, SCOPES, WORDS, attributes, scalar, sequence, shared, texts

SPANS = 120
# So many spans at most in a request.
BATCH = 50
# The parent is known to be here, or elsewhere.
PARENT_HERE, PARENT_ELSEWHERE = 0x100, 0x300


class OutOfStock(Exception):
    """What goes wrong in the shop."""


def value(numbers):
    return numbers.choice([scalar, sequence])(numbers)


def elsewhere(numbers):
    """The context of a span in another process."""
    state = TraceState([("vendor", f"{numbers.getrandbits(32):x}"), ("other", "a:1;b")])
    ids = numbers.getrandbits(128) | 1, numbers.getrandbits(64) | 1
    return SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED), trace_state=state)


def raised(numbers):
    """An exception that was raised, with its stack."""
    try:
        raise OutOfStock(f"no {numbers.choice(WORDS)!r} left")
    except OutOfStock as error:
        return error


def add_events(span, numbers, start):
    """Adds events to a span, exceptions among them; returns them as rows have them."""
    events = []
    for _ in range(numbers.randrange(4)):
        at, own = start + numbers.randrange(1_000_000), attributes(numbers, value)
        if numbers.random() < 0.3:
            error = raised(numbers)
            span.record_exception(error, own, timestamp=at)
            told = {
                "exception.type": f"{OutOfStock.__module__}.OutOfStock",
                "exception.message": str(error),
                "exception.stacktrace": "".join(traceback.format_exception(error)),
                "exception.escaped": "False",
            }
            events.append({"ts": at, "name": "exception", "attributes": told | texts(own)})
        else:
            name = numbers.choice(WORDS[1:])
            span.add_event(name, own, timestamp=at)
            events.append({"ts": at, "name": name, "attributes": texts(own)})
    return events


def record(tracer, numbers, parents, now):
    """Records a span; returns its context and its own columns."""
    parent = numbers.choice([None, *parents, elsewhere(numbers)])
    context = trace.set_span_in_context(NonRecordingSpan(parent)) if parent else None
    kind, name, own = numbers.choice(list(SpanKind)), numbers.choice(WORDS[1:]), attributes(numbers, value)
    links = [(elsewhere(numbers), attributes(numbers, value)) for _ in range(numbers.randrange(3))]
    start = now - numbers.randrange(60_000_000_000)
    given = [Link(to, of_link) for to, of_link in links]
    span = tracer.start_span(name, context, kind, own, given, start)
    later = attributes(numbers, value)
    span.set_attributes(later)
    events = add_events(span, numbers, start)
    code = numbers.choice(list(StatusCode))
    message = numbers.choice(WORDS) if code is StatusCode.ERROR else None
    if code is not StatusCode.UNSET:
        span.set_status(Status(code, message))
    # A clock that was set back makes a span end before it starts.
    duration = numbers.choice([0, -5, numbers.randrange(60_000_000_000)])
    span.end(start + duration)
    ids = span.get_span_context()
    return ids, {
        "ts": start,
        "duration_nano": duration,
        "trace_id": f"{ids.trace_id:032x}",
        "span_id": f"{ids.span_id:016x}",
        "parent_span_id": f"{parent.span_id:016x}" if parent else None,
        "trace_state": parent.trace_state.to_header() if parent else "",
        "flags": PARENT_ELSEWHERE if parent and parent.is_remote else PARENT_HERE,
        "name": name,
        "kind": kind.name.lower(),
        "status": code.name.lower(),
        "status_message": message or "",
        "attributes": texts(own | later),
        "events": events,
        "links": [
            {"trace_id": f"{to.trace_id:032x}", "span_id": f"{to.span_id:016x}", "trace_state": "", "attributes": texts(of_link)}
            for to, of_link in links
        ],
    }


def send(cluster, protocol, address, token, numbers):
    """Records and exports spans; returns their rows."""
    rows, now = [], time.time_ns()
    for resource in RESOURCES:
        given = exporter("traces", protocol, address, token)
        exported = watch(given)
        provider = TracerProvider(resource=Resource(resource))
        provider.add_span_processor(BatchSpanProcessor(given, max_export_batch_size=BATCH))
        parents = []
        for _ in range(SPANS // len(RESOURCES)):
            scope = numbers.choice(SCOPES)
            name, version, of_scope = scope
            ids, own = record(provider.get_tracer(name, version, attributes=of_scope), numbers, parents, now)
            parents = [*parents[-5:], ids]
            columns, from_scope = shared(cluster, resource, scope)
            rows.append(columns | own | {"attributes": from_scope | own["attributes"]})
        provider.shutdown()
        assert {result for _, result in exported} == {SpanExportResult.SUCCESS}, f"{exported}"
    return rows
