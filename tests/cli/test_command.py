"""The command line: where results, progress and errors go, and with which exit code."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scripted import QUOTE, ScriptedSource, abstained, age_note, answer, citation, disputed

from index import errors
from qa import errors as qa_errors
from qa.cli.failing import CODES, exit_code_of
from qa.cli.main import COMMANDS
from qa.client import ServerError
from qa.payload import answer_payload
from qa.settings import Secret

ROOT = Path(__file__).resolve().parents[2]
KEY = "k" * 32

pytestmark = pytest.mark.enable_socket


def nutgraf(*words: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "qa", *words],
        input=stdin,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_lists_every_command(run) -> None:
    done = run("--help")
    assert done.code == 0
    assert [name for name in COMMANDS if f"\n    {name} " not in done.out] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(run, name: str) -> None:
    done = run(name, "--help")
    assert done.code == 0
    assert done.out.startswith(f"usage: nutgraf {name} ")


def test_without_a_command_the_help_is_shown(run) -> None:
    assert run().out == run("--help").out


@pytest.mark.parametrize(
    "words",
    [
        ["nope"],
        ["ask"],
        ["ask", "--nope", "x"],
        ["ask", "x", "-k", "0"],
        ["ask", "x", "-k", "51"],
        ["ask", "x", "-k", "²"],
        ["search", "x", "--date-from", "yesterday"],
        ["ask", "x", "--verify", "maybe"],
        ["ask", "x", "--url", "ftp://h"],
        ["ask", " "],
        ["search", "-"],
        ["verify", ""],
        ["index"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2_and_prints_no_result(run, words: list[str]) -> None:
    done = run(*words)
    assert done.code == 2
    assert done.out == ""
    assert "nutgraf" in done.err


@pytest.mark.parametrize(
    "words", [["ask", "x"], ["search", "x"], ["verify", "x"], ["chat"], ["check"], ["status"]]
)
def test_without_an_index_one_line_says_how_to_make_one(run, tmp_path: Path, words: list[str]) -> None:
    done = run(*words, NUTGRAF_DATA_DIR=str(tmp_path / "none"))
    assert done.code == 66
    assert done.err == f"nutgraf: {tmp_path}/none: there is no index; make one with: nutgraf index PATH\n"


def test_a_missing_folder_is_named(run, tmp_path: Path) -> None:
    done = run("index", str(tmp_path / "gone"))
    assert (done.code, done.err) == (66, f"nutgraf: {tmp_path}/gone: no such folder\n")


def test_a_file_in_place_of_a_folder_is_named_with_the_reason(run, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\x7fELF\0\0")
    (tmp_path / "a.txt").write_text("text")
    binary, text = run("index", str(tmp_path / "a.bin")), run("index", str(tmp_path / "a.txt"))
    assert (binary.code, binary.err) == (65, f"nutgraf: {tmp_path}/a.bin: not_text: the file is not text\n")
    assert (text.code, text.err) == (65, f"nutgraf: {tmp_path}/a.txt: is a file; name the folder it is in\n")


@pytest.mark.parametrize(
    "env", [{"NUTGRAF_PORT": "x"}, {"NUTGRAF_NOPE": "1"}, {"NUTGRAF_LLM_BASE_URL": "http://h"}], ids=str
)
def test_a_wrong_setting_exits_78_and_names_it(run, env: dict[str, str]) -> None:
    done = run("status", **env)
    assert done.code == 78
    assert next(iter(env)) in done.err
    assert done.err.count("\n") == 1


def test_a_name_with_control_characters_cannot_reach_the_terminal(run) -> None:
    done = run("index", "/no\x1b]0;x\x07/such\nfolder")
    assert done.err == "nutgraf: /no␛]0;x␇/such␊folder: no such folder\n"


# ------------------------------------------------------------------------- against a running server


def test_an_answer_is_printed_with_its_citations(run, serve) -> None:
    done = run("ask", "How", "long?", "--url", serve(ScriptedSource([answer()])))
    assert (done.code, done.err) == (0, "")
    cited = f"[1] news/call.txt, paragraph 3, line 5 (2022-04-20)\n    {QUOTE}"
    assert done.out == f"{QUOTE} [1]\n\n{cited}\n\n{age_note()}\n"


@pytest.mark.parametrize(("given", "code"), [(answer(), 0), (disputed(), 0), (abstained(), 3)])
def test_json_is_the_contract_and_the_code_the_status(run, serve, given, code: int) -> None:
    done = run("ask", "How long?", "--json", "--url", serve(ScriptedSource([given])))
    assert done.code == code
    assert json.loads(done.out) == answer_payload(given)
    assert done.out.count("\n") == 1


def test_options_reach_the_question(run, serve) -> None:
    source = ScriptedSource([answer()])
    narrow = ["-k", "3", "--path", "news/*", "--date-from", "2024-01-01", "--date-to", "2024-12-31"]
    run("ask", "Why?", *narrow, "--collection", "other", "--verify", "flag", "--url", serve(source))
    (asked,) = source.asked
    assert (asked.text, asked.collection, asked.top_k, asked.verify) == ("Why?", "other", 3, "flag")
    assert (asked.filters.path, asked.filters.date_from, asked.filters.date_to) == (
        "news/*",
        "2024-01-01",
        "2024-12-31",
    )


def test_a_question_and_a_text_can_come_from_standard_input(run, serve) -> None:
    source = ScriptedSource([answer()])
    url = serve(source)
    run("ask", "-", "--url", url, stdin="How long\nwas the call?\n")
    assert source.asked[0].text == "How long\nwas the call?\n"
    assert json.loads(run("verify", "-", "--json", "--url", url, stdin="It lasted.").out)["sentences"][0][
        "text"
    ] == ("It lasted.")


def test_hits_and_verdicts_are_printed(run, serve) -> None:
    url = serve(ScriptedSource())
    assert run("search", "call", "--url", url).out.startswith("1. news/call.txt, paragraph 3")
    assert json.loads(run("search", "call", "--json", "--url", url).out)["hits"][0]["line_start"] == 5
    assert run("verify", "It lasted.", "--url", url).out.startswith("supported    It lasted. [1]\n")


def test_no_terminal_sequence_of_a_document_is_printed(run, serve) -> None:
    hostile = answer("\x1b]52;c;AAAA\x07 [1]", citations=(citation(cited_text="\x9b31m\r\x1b[2J"),))
    url = serve(ScriptedSource([hostile]))
    for done in (run("ask", "How?", "--url", url), run("ask", "How?", "--json", "--url", url)):
        assert not set("\x1b\x07\x9b\r") & set(done.out)


def test_a_server_with_a_key_is_asked_with_the_key_of_the_settings(run, serve) -> None:
    url = serve(ScriptedSource([answer()]), api_key=Secret(KEY))
    assert run("ask", "How?", "--url", url).code == 77
    assert run("ask", "How?", "--url", url, NUTGRAF_API_KEY=KEY).code == 0


def test_a_server_that_is_not_there_exits_69(run) -> None:
    done = run("ask", "How?", "--url", "http://127.0.0.1:1")
    assert (done.code, done.out) == (69, "")
    assert done.err.startswith("nutgraf: http://127.0.0.1:1 cannot be reached")


def test_an_unknown_collection_exits_66(run, serve) -> None:
    url = serve(ScriptedSource([errors.NotFoundError("there is no collection nope")]))
    done = run("ask", "How?", "--collection", "nope", "--url", url)
    assert (done.code, done.err) == (66, "nutgraf: there is no collection nope\n")


def test_chat_works_through_a_pipe_without_prompts_or_colours(serve) -> None:
    url = serve(ScriptedSource([answer()], ["The call", " lasted"]))
    done = nutgraf("chat", "--url", url, stdin="How long?\n/show 1\n/quit\nNever asked?\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{QUOTE} [1]\n\n[1] news/call.txt")
    assert "   4  Paragraph 4." in done.stdout
    assert "\x1b" not in done.stdout
    assert ">" not in done.stdout


def test_a_reader_that_leaves_early_is_no_error(serve) -> None:
    url = serve(ScriptedSource([answer()]))
    command = f"{sys.executable} -m qa ask How --url {url} | true; echo ${{PIPESTATUS[0]}}"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", command], env=env, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "141")


def test_output_that_the_encoding_lacks_is_escaped_not_fatal(serve) -> None:
    url = serve(ScriptedSource([answer("Grüße 北京 [1]")]))
    done = nutgraf("ask", "How?", "--url", url, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.startswith("Gr\\xfc\\xdfe \\u5317\\u4eac [1]")


# --------------------------------------------------------------------------------- errors and codes

OURS = [
    (errors.NotFoundError("x"), 66),
    (errors.MissingFolderError("x"), 66),
    (errors.RejectedError("not_text"), 65),
    (errors.InputError("x"), 2),
    (qa_errors.QuestionError("x"), 2),
    (errors.LockedError("x"), 75),
    (errors.MismatchError("x"), 78),
    (errors.CorruptError("x"), 65),
    (errors.DiskFullError("x"), 74),
    (errors.StorageError("x"), 74),
    (errors.ModelError("x"), 69),
    (qa_errors.SettingsError("x"), 78),
    (qa_errors.LLMTimeoutError("x"), 69),
    (errors.NutgrafError("x"), 70),
    (ServerError("x", status=401), 77),
    (ServerError("x", status=503), 69),
    (OSError(errno.ENOSPC, "full", "/data/x"), 74),
    (RuntimeError("SECRET"), 70),
]


@pytest.mark.parametrize(("error", "code"), OURS, ids=repr)
def test_every_error_is_one_line_and_a_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(error) == code
    err = capsys.readouterr().err
    assert err.startswith("nutgraf: ")
    assert err.count("\n") == 1
    assert "SECRET" not in err


def test_no_row_of_the_table_hides_behind_another() -> None:
    for place, (kind, _) in enumerate(CODES):
        assert not any(issubclass(kind, above) for above, _ in CODES[:place])


def test_help_imports_nothing_beyond_the_command_line() -> None:
    code = (
        "import sys; from qa.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('qa', 'index', 'numpy', 'rich', 'httpx')])"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['qa', 'qa.cli', 'qa.cli.main']"
