"""`nutgraf eval` over the seeds, with the real service."""

import argparse
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from qa.evaluate.cli import add_arguments, run
from qa.service import Service
from qa.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a data folder with the seeds in it."""
    settings = replace(Settings(), data_dir=tmp_path / "data")
    with closing(Service.open(settings, writable=True)) as opened:
        opened.sync(ROOT / "seeds")
    return settings


def test_every_quote_from_the_seeds_is_exact(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    questions = str(ROOT / "tests/quality/seeds.jsonl")
    args = parser.parse_args([questions, "--json", "--limit", "12", "--floor", "quote_exact=1"])
    assert run(args, settings) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["metrics"]["hit@10"] >= 0.8
    assert len(result["questions"]) == 12
