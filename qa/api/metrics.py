"""What the server counts, for Prometheus: one registry for each app.

A label is a word of ours: a route's template, a status, a code. Never text, a name, a path or an id.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from index.types import Holdings, SearchResult
from qa.render import DEGRADED
from qa.types import Answer, Verified

MEDIA_TYPE = CONTENT_TYPE_LATEST

STAGES = ("embed", "retrieve", "rerank", "read", "search", "sentences", "llm", "compose", "total")
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 90.0)
TOKENS = ("prompt_tokens", "completion_tokens")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_LLM_OUTCOMES = (
    ("llm_refused", "refused"),
    ("llm_truncated", "truncated"),
    ("llm_unsupported", "unsupported"),
    ("context_overflow", "too_long"),
    ("llm", "unavailable"),
)
"""What an answer is without says what came of asking the LLM; the first that fits."""


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stand when somebody looks; `holdings` is None while no index can be read."""

    ready: bool
    asking: int
    held: int
    queued: int
    running: int
    holdings: Holdings | None


class Metrics:
    """Counts what happens, and gives it as text."""

    def __init__(self, now: Callable[[], Moment]) -> None:
        self._registry = CollectorRegistry()
        self._requests = self._counter("requests", "Requests answered.", "method", "route", "status")
        self._request_seconds = self._histogram("request_seconds", "Time to the end of a response.", "route")
        self._stage_seconds = self._histogram(
            "stage_seconds", "Time of one stage of an answer or search.", "stage"
        )
        self._answers = self._counter("answers", "Questions, by what came of them.", "status", "reason")
        self._answerers = self._counter("answerers", "Answers, by who wrote the draft.", "kind")
        self._verdicts = self._counter("verdicts", "Sentences checked.", "of", "verdict")
        self._degraded = self._counter("degraded", "Answers and searches made without a part.", "part")
        self._llm = self._counter("llm_calls", "Drafts asked of the LLM.", "outcome")
        self._tokens = self._counter("llm_tokens", "Tokens, as the LLM's endpoint counts them.", "kind")
        self._registry.register(_Gauges(now))

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(_Lean(self._registry))

    def request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """A response has ended; a route is its template, None where no route was reached."""
        route = route or "none"
        self._requests.labels(method if method in METHODS else "other", route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def searched(self, result: SearchResult) -> None:
        """A search without an answer is done."""
        self._times(result.timings_ms)
        self._without(result.degraded)

    def answered(self, answer: Answer) -> None:
        """A question is answered, or is found to have no answer."""
        reason = answer.abstention.reason if answer.abstention is not None else ""
        self._answers.labels(answer.status, reason).inc()
        self._answerers.labels(answer.answerer.kind).inc()
        self._times(answer.timings_ms)
        self._without(answer.degraded)
        for sentence in answer.sentences:
            self._verdicts.labels("answer", sentence.verdict).inc()
        for kind in TOKENS:
            self._tokens.labels(kind.removesuffix("_tokens")).inc(max(0, answer.usage.get(kind, 0)))
        if "llm" in answer.timings_ms:
            outcome = next((word for part, word in _LLM_OUTCOMES if part in answer.degraded), "complete")
            self._llm.labels(outcome).inc()

    def failed(self, code: str) -> None:
        """A question came to an error."""
        self._answers.labels("failed", code).inc()

    def verified(self, verified: Verified) -> None:
        """Somebody's text is checked."""
        for sentence in verified.sentences:
            self._verdicts.labels("text", sentence.verdict).inc()

    def _times(self, timings_ms: Mapping[str, float]) -> None:
        for stage in STAGES:
            if stage in timings_ms:
                self._stage_seconds.labels(stage).observe(timings_ms[stage] / 1000)

    def _without(self, parts: Iterable[str]) -> None:
        for part in parts:
            self._degraded.labels(part if part in DEGRADED else "other").inc()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"nutgraf_{name}", text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"nutgraf_{name}", text, labels, registry=self._registry, buckets=BUCKETS)


class _Lean(Collector):
    """The same without when each series began, which would double them."""

    def __init__(self, inner: Collector) -> None:
        self._inner = inner

    def collect(self) -> Iterator[Metric]:
        for metric in self._inner.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


class _Gauges(Collector):
    """What is read at the moment somebody looks."""

    def __init__(self, now: Callable[[], Moment]) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        now = self._now()
        yield _gauge("ready", "1 when questions can be answered.", now.ready)
        yield _gauge("questions_in_progress", "Questions that are being answered.", now.asking)
        yield _gauge("upload_bytes_held", "Bytes of uploads in memory.", now.held)
        jobs = GaugeMetricFamily("nutgraf_jobs", "Background jobs.", labels=["state"])
        jobs.add_metric(["queued"], now.queued)
        jobs.add_metric(["running"], now.running)
        yield jobs
        if now.holdings is not None:
            yield from _held(now.holdings)


def _held(held: Holdings) -> Iterator[Metric]:
    yield _gauge("collections", "Collections.", held.collections)
    yield _gauge("documents", "Documents of all collections.", held.documents)
    yield _gauge("passages", "Passages of all collections.", held.passages)
    changes = CounterMetricFamily(
        "nutgraf_index_changes", "Changes committed to the index since it was made."
    )
    changes.add_metric([], held.sequence)
    yield changes
    if held.last_indexed is not None:
        text = "When a document was last put into the index, in seconds since 1970."
        yield _gauge("last_indexed_timestamp_seconds", text, held.last_indexed)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"nutgraf_{name}", text, value=float(value))
