"""Which release this is."""

from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    """The version that is installed, or 0 in a checkout that is not."""
    try:
        return version("nutgraf")
    except PackageNotFoundError:
        return "0"
