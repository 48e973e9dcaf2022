"""What others may import, and what importing it costs."""

import importlib
import inspect
import json
import re
import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest

import qa

REFERENCE = {"torch", "sentence_transformers", "transformers", "sklearn", "scipy"}
HEAVY = REFERENCE | {
    "numpy",
    "faiss",
    "onnxruntime",
    "fastapi",
    "pydantic",
    "openai",
    "httpx",
    "rich",
    "prompt_toolkit",
    "mcp",
    "prometheus_client",
}
VOCABULARY = ["index.errors", "index.types", "qa.errors", "qa.types"]
ERRORS = [
    getattr(module, name)
    for module in map(importlib.import_module, ["index.errors", "qa.errors"])
    for name in dir(module)
    if name.endswith("Error") and getattr(module, name).__module__ == module.__name__
]


def loaded_by(module: str) -> set[str]:
    """The top-level modules that a fresh process holds after importing one."""
    code = f"import json, sys, {module}; print(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("name", qa.__all__)
def test_a_public_name_exists_and_is_documented(name: str) -> None:
    assert inspect.getdoc(getattr(qa, name))


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        qa.nothing  # noqa: B018


@pytest.mark.parametrize("module", VOCABULARY)
def test_every_name_of_the_vocabulary_is_documented(module: str) -> None:
    members = inspect.getmembers(importlib.import_module(module), inspect.isclass)
    ours = {name: cls for name, cls in members if cls.__module__ == module and not name.startswith("_")}
    assert ours
    assert [name for name, cls in ours.items() if not cls.__doc__] == []


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_has_the_one_base_and_a_stable_code(error: type[Exception]) -> None:
    base = importlib.import_module("index.errors").NutgrafError
    assert issubclass(error, base)
    assert re.fullmatch(r"[a-z][a-z_]*", error.code)


def test_the_command_is_installed_under_its_name() -> None:
    (command,) = [entry for entry in entry_points(group="console_scripts") if entry.name == "nutgraf"]
    assert command.value == "qa.cli.main:main"
    assert version("nutgraf")


@pytest.mark.parametrize("module", ["index", "qa", "qa.cli.main"])
def test_importing_the_door_loads_nothing_heavy(module: str) -> None:
    assert loaded_by(module).isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "module", ["qa.service", "qa.cli.asking", "qa.client", "qa.api.server", "qa.mcp.tools"]
)
def test_only_a_client_of_the_protocol_loads_its_sdk(module: str) -> None:
    assert loaded_by(module).isdisjoint({"mcp", "mcp_types"})


@pytest.mark.parametrize("module", ["qa.service", "qa.api.server", "qa.client"])
def test_asking_and_serving_never_load_the_reference_runtime(module: str) -> None:
    assert loaded_by(module).isdisjoint(REFERENCE)
