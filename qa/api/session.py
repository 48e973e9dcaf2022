"""The key, and the cookie that stands for it in a browser: a plain link cannot bring a header."""

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable

from qa.settings import Settings

LASTS_S = 12 * 3600
"""How long a browser stays signed in: a working day."""

_TOKEN = re.compile(r"([0-9]{1,12})\.([0-9a-f]{32})\.[0-9a-f]{64}")
_MEMORY = 32 * 1024 * 1024


class Sessions:
    """Knows the key and the tokens made from it. They outlast the process, and end with the key they were made from."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._key = None if settings.api_key is None else settings.api_key.reveal().encode()
        self._clock = clock
        # Cookies know no ports: two servers on one machine would sign each other's people out.
        self._name = f"nutgraf_{settings.port}"
        self._secure = settings.public_base_url.startswith("https:")
        self._seal = b"" if self._key is None else _stretched(self._key)
        self._ended: dict[str, int] = {}
        self._lock = threading.Lock()

    @property
    def locked(self) -> bool:
        """Whether a key is needed at all."""
        return self._key is not None

    def is_key(self, given: bytes) -> bool:
        """Whether this is the key."""
        return self._key is not None and hmac.compare_digest(given, self._key)

    def is_bearer(self, authorization: bytes) -> bool:
        """Whether a header brings the key."""
        scheme, _, given = authorization.partition(b" ")
        return scheme.lower() == b"bearer" and self.is_key(given.strip())

    def begun(self) -> str:
        """The Set-Cookie of a new session."""
        subject = f"{int(self._clock()) + LASTS_S}.{secrets.token_hex(16)}"
        return self._cookie(f"{subject}.{self._sealed(subject)}", LASTS_S)

    def ended(self, cookies: bytes) -> str:
        """The Set-Cookie that takes a session away; its token is worth nothing from now on."""
        token, now = self._token(cookies), int(self._clock())
        with self._lock:
            self._ended = {old: until for old, until in self._ended.items() if until > now}
            if token and (until := self._until(token)) > now:
                self._ended[token] = until
        return self._cookie("", 0)

    def admits(self, cookies: bytes) -> bool:
        """Whether a Cookie header holds a session that was begun here, and has not ended."""
        token = self._token(cookies)
        if self._key is None or self._until(token) <= self._clock():
            return False
        with self._lock:
            return token not in self._ended

    def _until(self, token: str) -> int:
        """When a token of ours ends; 0 for what is none."""
        found = _TOKEN.fullmatch(token)
        subject, _, seal = token.rpartition(".")
        if found is None or not hmac.compare_digest(seal, self._sealed(subject)):
            return 0
        return int(found[1])

    def _sealed(self, subject: str) -> str:
        return hmac.new(self._seal, subject.encode(), hashlib.sha256).hexdigest()

    def _token(self, cookies: bytes) -> str:
        """The value of our cookie, or nothing where there is none or more than one."""
        pairs = (part.strip().partition("=") for part in cookies.decode("latin-1").split(";"))
        found = [value for name, _, value in pairs if name == self._name]
        return found[0] if len(found) == 1 else ""

    def _cookie(self, value: str, lasts_s: int) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{self._name}={value}; Path=/; Max-Age={lasts_s}; HttpOnly; SameSite=Strict{secure}"


def _stretched(key: bytes) -> bytes:
    """What seals tokens. Slow to make, since a cookie also reaches other ports of its host, and keys are guessed."""
    salt = b"nutgraf session 1"  # the same key gives the same seal after a restart
    return hashlib.scrypt(key, salt=salt, n=2**14, r=8, p=1, maxmem=_MEMORY, dklen=32)
