"""The command `nutgraf`: finds the sub-command, runs it, and turns every error into one line and an exit code.

Only argparse is imported here; each command imports what it needs when it runs, so `--help` answers at once.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

EPILOG = """\
exit codes: 0 done or answered; 1 a check found problems; 2 wrong usage; 3 no answer in the documents;
65 unusable data; 66 missing folder or index; 69 unavailable; 70 internal error; 74 reading or writing failed;
75 the index is in use; 77 not allowed; 78 wrong settings; 130 interrupted.
Settings come from NUTGRAF_* variables; NUTGRAF_DATA_DIR says where the index lives."""

Runner = Callable[[argparse.Namespace, Mapping[str, str]], int]

COMMANDS: Mapping[str, tuple[str, str]] = {
    "index": ("qa.cli.corpus", "index a folder; only what changed is embedded again"),
    "ask": ("qa.cli.asking", "answer a question, every sentence cited to file and paragraph"),
    "answer": ("qa.cli.recorded", "show what is kept of an answer, and how its sources stand now"),
    "search": ("qa.cli.asking", "list the paragraphs found for a query"),
    "chat": ("qa.cli.talking", "ask in a conversation, with follow-up questions"),
    "serve": ("qa.cli.serving", "serve the HTTP API"),
    "mcp": (
        "qa.cli.tools",
        "give the tools to a client of the Model Context Protocol that starts this program",
    ),
    "eval": ("qa.cli.serving", "run a question file and print how well it went"),
    "verify": ("qa.cli.asking", "check each sentence of a text against the documents"),
    "check": ("qa.cli.corpus", "check the index for damage"),
    "status": ("qa.cli.corpus", "say what is indexed and which parts are at hand"),
    "remove": ("qa.cli.keeping", "take single documents out of the index"),
    "backup": ("qa.cli.keeping", "copy the index into a new folder, also while a server uses it"),
    "restore": ("qa.cli.keeping", "put a backup into an empty data folder, once it is verified"),
    "migrate": ("qa.cli.keeping", "bring the vectors to Milvus or back, and prove that they are the same"),
    "purge": ("qa.cli.keeping", "leave no byte of deleted documents in the data folder"),
    "doctor": ("qa.cli.doctor", "say in plain words what is wrong with this set-up"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code; no exception leaves it."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # whoever read our output has what it wanted; without this, closing stdout at exit would complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _run(words: Sequence[str]) -> int:
    name = next((word for word in words if not word.startswith("-")), None)
    try:
        parser, run = _parser(name)
        args = parser.parse_args(words)
        if run is None:
            parser.print_help()
            return 0
        code = run(args, os.environ)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the edge of the process: one line and a code, never a traceback
        from qa.cli.failing import exit_code_of

        return exit_code_of(error)
    return code


def _parser(name: str | None) -> tuple[argparse.ArgumentParser, Runner | None]:
    """The parser, with the arguments of the one command that was asked for; the others are only named."""
    parser = argparse.ArgumentParser(
        prog="nutgraf",
        description="Answers questions from your documents and cites file and paragraph for every sentence.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and stop")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    run: Runner | None = None
    for each, (where, text) in COMMANDS.items():
        sub = commands.add_parser(
            each, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False
        )
        if each == name:
            module = import_module(where)
            getattr(module, f"add_{each}")(sub)
            run = getattr(module, f"run_{each}")
    return parser, run


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("nutgraf")
        except PackageNotFoundError:  # run from a checkout that was not installed
            number = "unknown"
        sys.stdout.write(f"nutgraf {number}\n")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
