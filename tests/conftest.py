"""What every test may rely on: no settings from the person's own shell, and (pytest-socket) no network but loopback."""

import os

import pytest

OURS = ("NUTGRAF_", "OPENAI_")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
