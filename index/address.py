"""Where the vectors of an index are searched: here, or in a Milvus server."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from index.errors import InputError

LOCAL = "local"
_SERVER = ("milvus+http://", "milvus+https://")
_LITE = "milvus+lite:"
_TAKES = (
    f"{LOCAL}, milvus+http://HOST:PORT or milvus+https://HOST:PORT, with /DATABASE behind it if need be,"
    " or milvus+lite:/path/file.db"
)


@dataclass(frozen=True, slots=True)
class MilvusAddress:
    """A Milvus server, or the file of a Milvus Lite. `token` is `user:password` or an API key."""

    uri: str
    database: str = ""
    token: str = field(default="", repr=False)


def store_address(text: str, token: str = "") -> MilvusAddress | None:
    """What a setting names; None for the local store.

    Raises:
        InputError: it is neither; the message says what is taken and does not repeat what was given.
    """
    if text == LOCAL:
        return None
    if text.startswith(_LITE):
        path = text.removeprefix(_LITE)
        if not path.endswith(".db"):
            raise InputError(f"{_TAKES}; the name of a Milvus Lite file ends with .db")
        return MilvusAddress(path)
    try:
        parts = urlsplit(text.removeprefix("milvus+"))
        port = parts.port
    except ValueError:
        raise InputError(_TAKES) from None
    if not text.startswith(_SERVER) or not parts.hostname or not port or parts.query or parts.fragment:
        raise InputError(_TAKES)
    if "@" in parts.netloc:
        raise InputError(f"{_TAKES}; a token is a setting of its own")
    database = parts.path.strip("/")
    if database and not database.isidentifier():
        raise InputError(f"{_TAKES}; a database is named by letters, digits and '_'")
    return MilvusAddress(f"{parts.scheme}://{parts.netloc}", database, token)
