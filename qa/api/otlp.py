"""Traces by the SDK of OpenTelemetry, sent to a collector over OTLP. Nothing of it is global.

The stages of an answer are drawn from the times it brings along, so that answering itself knows nothing of traces.
"""

import time
from collections.abc import Mapping
from contextvars import Token
from dataclasses import dataclass

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from index.types import SearchResult
from qa.api.traces import Attributes, Traces
from qa.release import release
from qa.types import Answer, Verified

PATIENCE_S = 2
"""How long a collector may take; a server that ends does not wait for one that is gone."""

_SEARCH = ("embed", "retrieve", "rerank", "read")
_ANSWER = ("search", "sentences", "llm", "compose")


@dataclass(frozen=True, slots=True)
class _Request:
    span: trace.Span
    token: Token[Context]


class SentTraces(Traces):
    """Records spans and sends them in the background."""

    def __init__(self, endpoint: str) -> None:
        resource = Resource.create({"service.name": "nutgraf", "service.version": release()})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=PATIENCE_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("nutgraf", release())

    def begin(self, traceparent: str) -> object:
        """Open the request's span, beneath the caller's where it names one."""
        above = TraceContextTextMapPropagator().extract({"traceparent": traceparent}, context=Context())
        span = self._tracer.start_span("request", above, trace.SpanKind.SERVER)
        return _Request(span, context.attach(trace.set_span_in_context(span)))

    def end(self, request: object, attributes: Attributes) -> None:
        """Close it."""
        if isinstance(request, _Request):
            context.detach(request.token)
            request.span.set_attributes(attributes)
            request.span.end()

    def here(self) -> object:
        """The context that holds the request's span."""
        return context.get_current()

    def answered(self, where: object, began: int, answer: Answer) -> None:
        """Draw an answer with its stages, one after another as they were."""
        attributes: dict[str, str | int | tuple[str, ...]] = {
            "nutgraf.status": answer.status,
            "nutgraf.reason": answer.abstention.reason if answer.abstention is not None else "",
            "nutgraf.answerer": answer.answerer.kind,
            "nutgraf.sentences": len(answer.sentences),
            "nutgraf.citations": len(answer.citations),
            "nutgraf.degraded": answer.degraded,
        }
        times = answer.timings_ms
        inside = self._span("ask", where, began, times.get("total", 0.0), attributes)
        for stage in _ANSWER:
            if stage in times:
                part = self._span(stage, inside, began, times[stage], {})
                if stage == "search":
                    self._stages(part, began, times)
                began += _ns(times[stage])

    def searched(self, began: int, result: SearchResult) -> None:
        """Draw a search with its stages."""
        lasted = (time.time_ns() - began) / 1e6
        attributes: Attributes = {"nutgraf.hits": len(result.hits), "nutgraf.degraded": result.degraded}
        inside = self._span("search", self.here(), began, lasted, attributes)
        self._stages(inside, began, result.timings_ms)

    def verified(self, began: int, verified: Verified) -> None:
        """Draw a check."""
        lasted = (time.time_ns() - began) / 1e6
        counts = {"nutgraf.sentences": len(verified.sentences), "nutgraf.citations": len(verified.citations)}
        self._span("verify", self.here(), began, lasted, counts)

    def close(self) -> None:
        """Send what waits, and end the thread that sends."""
        self._provider.shutdown()

    def _stages(self, where: object, began: int, times: Mapping[str, float]) -> None:
        for stage in _SEARCH:
            if stage in times:
                self._span(stage, where, began, times[stage], {})
                began += _ns(times[stage])

    def _span(self, name: str, where: object, began: int, lasted_ms: float, attributes: Attributes) -> object:
        """Record what is over; gives where its parts belong."""
        above = where if isinstance(where, Context) else None
        span = self._tracer.start_span(name, above, attributes=attributes, start_time=began)
        span.end(began + _ns(lasted_ms))
        return trace.set_span_in_context(span, above)


def _ns(milliseconds: float) -> int:
    return int(milliseconds * 1e6)
