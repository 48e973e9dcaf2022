"""A LangChain retriever over a running server; needs `pip install 'nutgraf[langchain]'`."""

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, SecretStr

from index.types import Filters, SearchResult
from qa.async_client import AsyncClient
from qa.client import Client
from qa.exchange import DEFAULT_URL
from qa.retrieved import key_of, metadata_of
from qa.settings import Secret


class NutgrafRetriever(BaseRetriever):
    """The paragraphs that Nutgraf finds, as documents whose metadata cite path, paragraph, lines and characters.

    Errors are those of `qa.Client`.
    """

    url: str = DEFAULT_URL
    api_key: SecretStr | None = None
    collection: str = "default"
    k: int = Field(default=8, ge=1, le=50)
    filters: Filters = Filters()
    timeout_s: float = 120.0

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 - LangChain hands it over by name
    ) -> list[Document]:
        with Client(self.url, api_key=self._key(), timeout_s=self.timeout_s) as client:
            found = client.search(query, collection=self.collection, k=self.k, filters=self.filters)
            return self._documents(found, client.url)

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002 - as above
    ) -> list[Document]:
        async with AsyncClient(self.url, api_key=self._key(), timeout_s=self.timeout_s) as client:
            found = await client.search(query, collection=self.collection, k=self.k, filters=self.filters)
            return self._documents(found, client.url)

    def _key(self) -> Secret | None:
        return Secret(self.api_key.get_secret_value()) if self.api_key else None

    def _documents(self, found: SearchResult, url: str) -> list[Document]:
        return [
            Document(id=key_of(hit), page_content=hit.text, metadata=metadata_of(hit, url, self.collection))
            for hit in found.hits
        ]
