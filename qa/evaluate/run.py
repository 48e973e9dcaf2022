"""Asking every question and timing it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TypeVar

from qa.errors import LLMError, QuestionError
from qa.evaluate.judge import failed, judge
from qa.evaluate.metrics import summarise, summarise_kinds
from qa.evaluate.stored import StoredText
from qa.evaluate.types import EvalQuestion, Evaluation, Measured, Outcome, ProgressOf
from qa.evaluate.words import faults
from qa.types import Question

Item = TypeVar("Item")

TOP_K = 10
"""hit@10 needs ten hits."""


def evaluate(
    service: Measured,
    questions: Sequence[EvalQuestion],
    *,
    title: str,
    collection: str = "default",
    progress: ProgressOf | None = None,
    clock: Callable[[], float] = perf_counter,
) -> Evaluation:
    """Ask all questions, one after another, and judge what comes back.

    A first search that is not measured loads the models, so that the times are those of a warm service.
    """
    stored = StoredText(service, collection)
    began = clock()
    service.search("warm up", collection=collection, k=1)
    outcomes: list[Outcome] = []
    for question in questions:
        outcomes.append(_outcome(service, question, collection, stored, clock))
        if progress is not None:
            progress(len(outcomes), len(questions))
    misses = [_with_gold(outcome, stored) for outcome in outcomes]
    return summed_up(title, misses, clock() - began)


def summed_up(title: str, outcomes: Sequence[Outcome], seconds: float) -> Evaluation:
    """The run as a whole."""
    return Evaluation(title, tuple(outcomes), summarise(outcomes), summarise_kinds(outcomes), seconds)


def spread(questions: Sequence[Item], limit: int | None) -> Sequence[Item]:
    """At most `limit` questions, taken evenly from the whole list: neighbours are often about one text."""
    if limit is None or limit >= len(questions):
        return questions
    return [questions[place * len(questions) // limit] for place in range(limit)]


def _outcome(
    service: Measured, question: EvalQuestion, collection: str, stored: StoredText, clock: Callable[[], float]
) -> Outcome:
    asked = Question(question.text, collection=collection, history=question.history, top_k=TOP_K)
    began = clock()
    try:
        answer = service.ask(asked)
    except (LLMError, QuestionError) as error:
        # One question that cannot be put must not lose the others; a broken index or model still ends the run.
        return failed(question, error.code, (clock() - began) * 1000)
    ms = (clock() - began) * 1000
    stored.remember((*answer.hits, *answer.citations))
    return judge(question, answer, ms, stored.is_exact)


def _with_gold(outcome: Outcome, stored: StoredText) -> Outcome:
    if not faults(outcome):
        return outcome
    return replace(outcome, gold_texts=stored.gold_texts(outcome))
