"""Whether traces are recorded: only where a collector is named and the extra is installed."""

from qa.api.traces import Traces
from qa.logs import Log
from qa.settings import Settings


def traces_of(settings: Settings, log: Log) -> Traces:
    """What the settings ask for."""
    if settings.otlp_endpoint is None:
        return Traces()
    try:
        from qa.api.otlp import SentTraces  # noqa: PLC0415 - an extra, loaded only where traces are wanted
    except ImportError:
        log.warning("not_traced", message="OTEL_EXPORTER_OTLP_ENDPOINT needs nutgraf[otel]")
        return Traces()
    return SentTraces(settings.otlp_endpoint)
