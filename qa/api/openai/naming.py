"""Which model name stands for which collection."""

from qa.api.errors import ApiError

BASE = "nutgraf"
DEFAULT = "default"


def model_of(collection: str) -> str:
    """`nutgraf` for the default collection, `nutgraf/NAME` for another."""
    return BASE if collection == DEFAULT else f"{BASE}/{collection}"


def collection_of(model: str) -> str:
    """The collection that a model answers from, whether or not there is one.

    Raises:
        ApiError: the name is not one of ours.
    """
    if model == BASE:
        return DEFAULT
    base, _, name = model.partition("/")
    if base != BASE or not name:
        raise ApiError("model_not_found")
    return name
