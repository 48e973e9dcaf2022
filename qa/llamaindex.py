"""A LlamaIndex retriever over a running server; needs `pip install 'nutgraf[llamaindex]'`."""

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import (
    NodeRelationship,
    NodeWithScore,
    QueryBundle,
    RelatedNodeInfo,
    TextNode,
)

from index.types import Filters, Hit, SearchResult
from qa.async_client import AsyncClient
from qa.client import Client
from qa.exchange import DEFAULT_URL
from qa.retrieved import key_of, metadata_of
from qa.settings import Secret

SHOWN = {"path", "paragraph", "date", "title"}
"""What of the metadata an LLM gets to read beside the text; the rest is for who checks its answer."""


class NutgrafRetriever(BaseRetriever):
    """The paragraphs that Nutgraf finds, as nodes whose metadata cite path, paragraph, lines and characters.

    Errors are those of `qa.Client`.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: Secret | str | None = None,
        collection: str = "default",
        k: int = 8,
        filters: Filters = Filters(),
        timeout_s: float = 120.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._api_key = Secret(api_key) if isinstance(api_key, str) else api_key
        self._collection = collection
        self._k = k
        self._filters = filters
        self._timeout_s = timeout_s
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        with Client(self._url, api_key=self._api_key, timeout_s=self._timeout_s) as client:
            query = query_bundle.query_str
            return self._nodes(
                client.search(query, collection=self._collection, k=self._k, filters=self._filters)
            )

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        async with AsyncClient(self._url, api_key=self._api_key, timeout_s=self._timeout_s) as client:
            query = query_bundle.query_str
            return self._nodes(
                await client.search(query, collection=self._collection, k=self._k, filters=self._filters)
            )

    def _nodes(self, found: SearchResult) -> list[NodeWithScore]:
        return [NodeWithScore(node=self._node(hit), score=hit.score) for hit in found.hits]

    def _node(self, hit: Hit) -> TextNode:
        metadata = metadata_of(hit, self._url, self._collection)
        hidden = [name for name in metadata if name not in SHOWN]
        return TextNode(
            id_=key_of(hit),
            text=hit.text,
            metadata=metadata,
            excluded_llm_metadata_keys=hidden,
            excluded_embed_metadata_keys=hidden,
            start_char_idx=hit.start,
            end_char_idx=hit.end,
            relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=hit.document_id)},
        )
