"""The LangChain retriever within the real library, against a real server."""

import asyncio

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from pydantic import ValidationError
from scripted import QUOTE, ScriptedSource, hit, hit_metadata

from index.types import Filters, SearchResult
from qa.client import ServerError
from qa.langchain import NutgrafRetriever
from qa.settings import Secret

pytestmark = pytest.mark.enable_socket

KEY = "k" * 32


class Searched(ScriptedSource):
    def search(
        self, query: str, *, collection: str = "default", k: int = 8, filters: Filters = Filters()
    ) -> SearchResult:
        self.script = (*self.script, (query, collection, k, filters))
        return SearchResult((hit(), hit(paragraph=4, page=7, date=None)))


def test_a_document_cites_its_source_to_the_character(serve) -> None:
    url = serve(ScriptedSource())
    (found,) = NutgrafRetriever(url=url).invoke("How long?")
    assert found == Document(
        id="d1#p3",
        page_content=QUOTE,
        metadata=hit_metadata(url),
    )


def test_what_was_asked_for_reaches_the_search_and_what_is_unknown_is_left_out(serve) -> None:
    source, filters = Searched(), Filters(path="news/*", date_from="2022-01-01")
    retriever = NutgrafRetriever(url=f"{serve(source)}/", collection="other", k=3, filters=filters)
    first, second = retriever.invoke("How long?")
    assert source.script == (("How long?", "other", 3, filters),)
    assert (second.metadata["page"], "date" in second.metadata, "page" in first.metadata) == (7, False, False)


def test_it_takes_part_in_a_chain_without_and_with_asyncio(serve) -> None:
    chain = NutgrafRetriever(url=serve(ScriptedSource())) | RunnableLambda(
        lambda documents: documents[0].metadata["path"]
    )
    assert chain.invoke("How long?") == "news/call.txt"
    assert asyncio.run(chain.ainvoke("How long?")) == "news/call.txt"
    assert chain.batch(["How long?", "Who?"]) == ["news/call.txt"] * 2


def test_a_key_is_sent_and_never_shown(serve) -> None:
    retriever = NutgrafRetriever(url=serve(ScriptedSource(), api_key=Secret(KEY)), api_key=KEY)
    assert len(retriever.invoke("How long?")) == 1
    assert KEY not in f"{retriever!r} {retriever} {retriever.model_dump()} {retriever.model_dump_json()}"


def test_failures_are_those_of_the_client(serve) -> None:
    with pytest.raises(ServerError, match="cannot be reached"):
        NutgrafRetriever(url="http://127.0.0.1:1").invoke("How long?")


@pytest.mark.parametrize("k", [0, 51])
def test_a_number_out_of_bounds_is_refused(k: int) -> None:
    with pytest.raises(ValidationError):
        NutgrafRetriever(k=k)
