"""A real index over the seeds, opened once, for the tests of answering."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from index.engine import Index

SEEDS = Path(__file__).parents[2] / "seeds"


@pytest.fixture(scope="session")
def seeds_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with Index.open(tmp_path_factory.mktemp("answering"), writable=True) as index:
        index.sync(SEEDS)
        yield index
