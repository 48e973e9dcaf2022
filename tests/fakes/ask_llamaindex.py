"""Run where LlamaIndex is installed: asks a server through its retriever and prints what came, as JSON."""

import asyncio
import json
import sys

from llama_index.core.base.response.schema import Response
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import MetadataMode, NodeRelationship, NodeWithScore, TextNode

from index.types import Filters
from qa.client import ServerError
from qa.llamaindex import NutgrafRetriever


def told(found: NodeWithScore) -> dict[str, object]:
    """A node in plain values."""
    node = found.node
    assert isinstance(node, TextNode)
    return {
        "id": node.node_id,
        "text": node.text,
        "score": found.score,
        "metadata": node.metadata,
        "characters": [node.start_char_idx, node.end_char_idx],
        "source": node.relationships[NodeRelationship.SOURCE].node_id,
        "for_llm": node.get_content(MetadataMode.LLM),
    }


def failure() -> str:
    """What a server that is not there gives."""
    try:
        NutgrafRetriever("http://127.0.0.1:1").retrieve("How long?")
    except ServerError as error:
        return str(error)
    return ""


def main(url: str, key: str) -> None:
    """Every way in."""
    retriever = NutgrafRetriever(
        f"{url}/", api_key=key, collection="other", k=3, filters=Filters(path="news/*")
    )
    engine = RetrieverQueryEngine.from_args(retriever, llm=MockLLM())
    response = engine.query("How long?")
    assert isinstance(response, Response)
    print(
        json.dumps(
            {
                "nodes": [told(each) for each in retriever.retrieve("How long?")],
                "async": [told(each) for each in asyncio.run(retriever.aretrieve("How long?"))],
                "engine": [told(each) for each in response.source_nodes],
                "failure": failure(),
                "key_shown": key in repr(vars(retriever)),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
