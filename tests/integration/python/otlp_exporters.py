"""The exporters of OpenTelemetry's SDK for Python, by protocol and signal."""

import importlib

# Where the exporters of a protocol are.
PROTOCOLS = {"grpc": "proto.grpc", "http/protobuf": "proto.http", "http/json": "json.http"}
# Of a signal: module and class in there.
SIGNALS = {
    "metrics": ("metric_exporter", "OTLPMetricExporter"),
    "traces": ("trace_exporter", "OTLPSpanExporter"),
    "logs": ("_log_exporter", "OTLPLogExporter"),
}


def exporter(signal, protocol, address, token):
    """The exporter of this signal and protocol."""
    if protocol not in PROTOCOLS:
        raise ValueError(f"{protocol} is none of {list(PROTOCOLS)}")
    module, name = SIGNALS[signal]
    made = getattr(importlib.import_module(f"opentelemetry.exporter.otlp.{PROTOCOLS[protocol]}.{module}"), name)
    headers = {"authorization": f"Bearer {token}"}
    if protocol == "grpc":
        return made(endpoint=f"http://{address}", insecure=True, headers=headers)
    return made(endpoint=f"http://{address}/v1/{signal}", headers=headers)


def watch(given):
    """Keeps what an exporter is given and whether it was taken."""
    exported, inner = [], given.export

    def export(data, *arguments, **further):
        result = inner(data, *arguments, **further)
        exported.append((data, result))
        return result

    given.export = export
    return exported
