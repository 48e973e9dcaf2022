"""A circuit breaker: after repeated failures callers are told at once, instead of each waiting for its own."""

import threading
import time
from collections import deque
from collections.abc import Callable

FAILURES = 5
WINDOW_S = 30.0
PAUSE_S = 10.0


class Breaker:
    """Opens after 5 failures within 30 s; after a pause lets one probe through, and closes if that succeeds.

    `clock` is monotonic, in seconds. Safe to use from several threads.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._opened: float | None = None
        self._probing = False

    def admit(self) -> bool:
        """Whether a call may go ahead; each call that may must be followed by one `record`."""
        with self._lock:
            if self._opened is None:
                return True
            if self._probing or self._clock() - self._opened < PAUSE_S:
                return False
            self._probing = True
            return True

    def record(self, *, success: bool | None) -> None:
        """Say how an admitted call went; None when it says nothing about the endpoint (it was cancelled)."""
        with self._lock:
            probing, self._probing = self._probing, False
            if success is None:
                return
            if success:
                self._opened = None
                self._failures.clear()
                return
            now = self._clock()
            self._failures.append(now)
            many = len(self._failures) == FAILURES and now - self._failures[0] <= WINDOW_S
            if many or (probing and self._opened is not None):
                self._opened = now

    @property
    def open(self) -> bool:
        """Whether calls are being turned away."""
        with self._lock:
            return self._opened is not None
