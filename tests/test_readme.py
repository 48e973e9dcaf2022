"""The README's promises that a machine can keep: settings, commands, routes and files are what it says."""

import ast
import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qa import Client
from qa.settings import settings_table
from qa.types import Answer, Citation

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def between(marker: str) -> str:
    return README.split(f"<!-- {marker} -->\n", 1)[1].split(f"<!-- /{marker} -->", 1)[0]


def shell_lines() -> list[str]:
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", README, flags=re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


def words_after(command: str) -> set[str]:
    found = (re.match(rf"(?:\S+=\S+ )*{command} ([a-z-]+)", line) for line in shell_lines())
    return {match[1] for match in found if match}


def test_the_table_of_settings_is_the_generated_one() -> None:
    assert between("settings") == settings_table()


@pytest.mark.parametrize("target", sorted(words_after("make")))
def test_a_make_target_it_names_exists(target: str) -> None:
    assert re.search(rf"^{target}:.*## ", MAKEFILE, flags=re.MULTILINE)


@pytest.mark.parametrize("command", sorted(words_after(r"(?:\.venv/bin/)?nutgraf")))
def test_a_command_it_names_exists(command: str) -> None:
    run = [sys.executable, "-c", "from qa.cli.main import main; main()", command, "--help"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert command in done.stdout


def test_the_commands_were_found() -> None:
    assert {"ask", "chat", "check", "eval", "index", "search", "status"} <= words_after(
        r"(?:\.venv/bin/)?nutgraf"
    )
    assert {"install", "run", "test", "check"} <= words_after("make")


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:docs|seeds|tests|benchmarks)/[\w./-]*)`", README)))
)
def test_a_path_it_names_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_python_example_names_what_exists() -> None:
    tree = ast.parse(between("python").removeprefix("```python\n").removesuffix("```\n"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    fields = {field.name for cls in (Answer, Citation) for field in dataclasses.fields(cls)}
    assert used <= fields | {"ask"}
    assert callable(Client.ask)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    steps = [
        line
        for line in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
        if line.startswith("make")
    ]
    assert steps == ["make test"]
