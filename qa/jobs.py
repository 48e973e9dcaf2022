"""Long work in the background: one thread, a short queue, and what became of each job.

Jobs are kept in memory, the last ones only, and are gone with the process; what a job did to the index is not.
A sync that was cut short is made good by the next one, which finds what is missing.
"""

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from index.errors import NotFoundError

State = Literal["queued", "running", "done", "failed"]
Report = Callable[[int, int], None]
"""Called by the work with (parts done, parts in all). Raises StoppedError when it should end."""

Work = Callable[[Report], Mapping[str, object]]

MAX_WAITING = 16
MAX_KEPT = 200
KEPT_S = 3600.0
JOB_THREAD = "nutgraf-job"


class QueueFullError(Exception):
    """Too many jobs wait already."""


class StoppedError(Exception):
    """The process ends, and so does the job."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands. Times are UTC, ISO 8601; `ended` is a monotonic time in seconds."""

    id: str
    kind: str
    collection: str
    created_at: str
    state: State = "queued"
    done: int = 0
    total: int = 0
    started_at: str | None = None
    ended_at: str | None = None
    result: Mapping[str, object] | None = None
    error: Exception | None = field(default=None, repr=False)
    ended: float | None = None

    @property
    def over(self) -> bool:
        """Whether nothing of it will change any more."""
        return self.state in {"done", "failed"}


class Jobs:
    """Runs jobs one after another in a daemon thread, which begins with the first one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[tuple[str, Work]] = deque()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def submit(self, kind: str, collection: str, work: Work) -> Job:
        """Queue a job. One of the same kind and collection that still waits is given back instead: it will do.

        Raises:
            QueueFullError: too many wait already, or the process is about to end.
        """
        with self._changed:
            self._forget()
            for id_, _ in self._waiting:
                if (self._jobs[id_].kind, self._jobs[id_].collection) == (kind, collection):
                    return self._jobs[id_]
            if self._stopping or len(self._waiting) >= MAX_WAITING:
                raise QueueFullError
            job = Job(f"job_{secrets.token_hex(12)}", kind, collection, _now())
            self._jobs[job.id] = job
            self._waiting.append((job.id, work))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=JOB_THREAD, daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return job

    def get(self, id_: str) -> Job:
        """A job as it stands. Raises NotFoundError for one that never was, or was over long ago."""
        with self._changed:
            self._forget()
            if id_ not in self._jobs:
                raise NotFoundError("there is no such job, or it was over long ago")
            return self._jobs[id_]

    def counts(self) -> tuple[int, int]:
        """How many jobs wait, and how many run."""
        with self._changed:
            return len(self._waiting), sum(job.state == "running" for job in self._jobs.values())

    def stop(self) -> None:
        """Take nothing new, and end what runs at its next step."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if self._stopping:
                    return
                id_, work = self._waiting.popleft()
                self._set(id_, state="running", started_at=_now())
            self._work(id_, work)

    def _work(self, id_: str, work: Work) -> None:
        def report(done: int, total: int) -> None:
            with self._changed:
                if self._stopping:
                    raise StoppedError
                self._set(id_, done=done, total=total)

        try:
            end: dict[str, object] = {"state": "done", "result": work(report)}
        except Exception as error:  # noqa: BLE001 - the edge of a thread: kept for whoever asks about the job
            end = {"state": "failed", "error": error}
        with self._changed:
            self._set(id_, **end, ended_at=_now(), ended=self._clock())

    def _set(self, id_: str, **values: object) -> None:
        self._jobs[id_] = replace(self._jobs[id_], **values)  # type: ignore[arg-type] # named by us, a few lines up
        self._changed.notify_all()

    def _forget(self) -> None:
        """Drop what was over long ago, and the oldest of too many."""
        over = [job for job in self._jobs.values() if job.ended is not None]
        excess = len(over) - MAX_KEPT
        for place, job in enumerate(over):
            if place < excess or self._clock() - (job.ended or 0.0) > KEPT_S:
                del self._jobs[job.id]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
