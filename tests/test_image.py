"""What can be said of the image without building it; `make image-proof` carries out its steps."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from qa.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
STEPS = [line.split(" ", 1) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
FINAL = STEPS[max(number for number, (word, _) in enumerate(STEPS) if word == "FROM") :]
COPIED = [
    source for word, rest in STEPS if word == "COPY" and "--from" not in rest for source in rest.split()[:-1]
]


@pytest.fixture(scope="module")
def service() -> Any:
    composed = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return composed["services"]["nutgraf"]


def test_it_runs_as_an_unprivileged_user() -> None:
    assert ["USER", "nutgraf"] in FINAL
    assert re.search(r"useradd --uid 1\d{4} .* nutgraf", DOCKERFILE)


def test_dependencies_are_installed_before_the_code_is_copied() -> None:
    installed = next(number for number, (_, rest) in enumerate(STEPS) if "--require-hashes" in rest)
    copied = next(number for number, (_, rest) in enumerate(STEPS) if rest.startswith("qa "))
    assert installed < copied


def test_its_settings_are_settings_and_need_a_key() -> None:
    env = dict(pair.split("=", 1) for word, rest in FINAL if word == "ENV" for pair in rest.split())
    settings = Settings.from_env(env)
    assert settings.host == "0.0.0.0"
    assert settings.api_key is None


@pytest.mark.parametrize("source", COPIED)
def test_what_it_copies_exists_and_is_in_the_build_context(source: str) -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert (ROOT / source).exists()
    assert any(fnmatch(source, line[1:]) for line in lines if line.startswith("!"))


def test_compose_has_the_health_check_of_the_image(service: Any) -> None:
    check = next(rest for word, rest in FINAL if word == "HEALTHCHECK")
    assert service["healthcheck"]["test"][1:] == json.loads(check.split(" CMD ", 1)[1])


def test_compose_keeps_the_container_narrow(service: Any) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [port.split(":")[0] for port in service["ports"]] == ["127.0.0.1"]


def test_compose_sets_nothing_that_is_not_a_setting(service: Any) -> None:
    assert Settings.from_env(dict.fromkeys(service["environment"], "")) == Settings()
