"""`nutgraf ask`, `search` and `verify`."""

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from qa.cli.failing import ABSTAINED, USAGE, CommandError
from qa.cli.shared import (
    filters_of,
    is_terminal,
    offer_json,
    offer_search,
    offer_source,
    put,
    put_json,
    show,
    source_of,
    style_of,
    text_of,
)
from qa.payload import answer_payload, search_payload, verified_payload
from qa.render import answer_text, hits_text, verified_text
from qa.types import Answer, Question

if TYPE_CHECKING:
    from qa.source import Source


def add_ask(parser: argparse.ArgumentParser) -> None:
    """The question, and where to ask it."""
    parser.add_argument("question", nargs="+", metavar="QUESTION", help="the question; - reads it from stdin")
    offer_json(parser)
    offer_source(parser)
    offer_search(parser)
    parser.add_argument(
        "--verify",
        choices=("drop", "flag"),
        default="drop",
        help="sentences that are not supported are left out, or shown as such (default: drop)",
    )


def run_ask(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Answer; exit 3 where the documents hold no answer."""
    question = Question(
        _filled(args.question, "question"),
        collection=args.collection,
        top_k=args.top_k,
        filters=filters_of(args),
        verify=args.verify,
    )
    with source_of(args, env) as source:
        if not args.json and is_terminal(sys.stdout):
            answer = _shown(source, question)
        else:
            answer = source.ask(question)
            if args.json:
                put_json(answer_payload(answer))
            else:
                put(answer_text(answer))
    return ABSTAINED if answer.status == "abstained" else 0


def _shown(source: "Source", question: Question) -> Answer:
    """The answer, shown while it comes."""
    from qa.chat_screen import streamed
    from qa.cli.screen import screen_of

    answer = streamed(source, question, screen_of(""))
    if answer is None:
        raise KeyboardInterrupt
    return answer


def add_search(parser: argparse.ArgumentParser) -> None:
    """The query, and where to search."""
    parser.add_argument("query", nargs="+", metavar="QUERY", help="what to look for; - reads it from stdin")
    offer_json(parser)
    offer_source(parser)
    offer_search(parser)


def run_search(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Print the hits, best first."""
    query = _filled(args.query, "query")
    with source_of(args, env) as source:
        result = source.search(query, collection=args.collection, k=args.top_k, filters=filters_of(args))
    if args.json:
        put_json(search_payload(result))
    else:
        show(hits_text(result.hits, style_of(sys.stdout)))
    return 0


def add_verify(parser: argparse.ArgumentParser) -> None:
    """The text, and what to hold it against."""
    parser.add_argument("text", nargs="+", metavar="TEXT", help="the text to check; - reads it from stdin")
    offer_json(parser)
    offer_source(parser)


def run_verify(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Print a verdict for each sentence."""
    text = _filled(args.text, "text")
    with source_of(args, env) as source:
        verified = source.verify(text, collection=args.collection)
    if args.json:
        put_json(verified_payload(verified))
    else:
        show(verified_text(verified, style_of(sys.stdout)))
    return 0


def _filled(words: list[str], name: str) -> str:
    text = text_of(words)
    if not text.strip():
        raise CommandError(f"the {name} is empty", USAGE)
    return text
