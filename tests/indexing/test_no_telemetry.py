"""onnxruntime 1.31 reports to its maker unless it is told not to before it is loaded (seen with strace)."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
from index.models import carried
from index.embed import OnnxEmbedder
print(OnnxEmbedder(carried("BAAI/bge-small-en-v1.5")).embed_queries(["quiet?"]).shape)
"""


def test_a_model_runs_without_an_identity_being_kept_for_anybody(tmp_path: Path) -> None:
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=env | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "(1, 384)\n", done.stderr
    assert list(tmp_path.rglob("*")) == []


def test_a_person_cannot_switch_it_on_by_accident(tmp_path: Path) -> None:
    env = dict(os.environ) | {
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path),
        "ORT_DISABLE_TELEMETRY": "0",
    }
    subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, check=True)
    assert list(tmp_path.rglob("*")) == []
