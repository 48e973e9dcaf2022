"""The routes, one after another, over a small service in process."""

import pytest

CALL = "the call lasted how many minutes"


def test_a_question_gets_the_answer_of_the_contract(call):
    response = call("POST", "/v1/query", json={"question": CALL})
    answer = response.json()
    assert response.status_code == 200
    assert list(answer) == [
        "id", "status", "answer", "answer_plain", "sentences", "citations", "abstention", "conflicts", "query",
        "hits", "answerer", "degraded", "usage", "timings_ms",
    ]  # fmt: skip
    assert answer["status"] == "answered"
    assert answer["sentences"][0]["citations"] == [answer["citations"][0]["id"]]


def test_a_citation_gives_address_text_and_hash(call):
    citation = call("POST", "/v1/query", json={"question": CALL}).json()["citations"][0]
    assert citation["path"] == "call.txt"
    assert (citation["paragraph"], citation["line_start"], citation["line_end"]) == (2, 2, 2)
    assert citation["cited_text"] == "The call lasted 45 minutes."
    assert citation["end_char_index"] - citation["start_char_index"] == len(citation["cited_text"])
    assert citation["url"].endswith(f"/documents/{citation['document_id']}#p2")


def test_a_question_without_evidence_is_abstained_with_200(call):
    response = call("POST", "/v1/query", json={"question": "zzz"})
    assert (response.status_code, response.json()["status"]) == (200, "abstained")
    assert response.json()["abstention"] == {"reason": "no_evidence", "nearest": []}


def test_everything_a_question_may_carry_is_taken(call):
    body = {
        "question": CALL,
        "collection": "default",
        "history": [{"role": "user", "content": "x"}, {"role": "assistant", "content": ""}],
        "top_k": 1,
        "filters": {"path": "*.txt", "date_from": "2024-01-01", "date_to": "2024-01-01"},
        "verify": "flag",
        "stream": False,
    }
    assert len(call("POST", "/v1/query", json=body).json()["hits"]) == 1


LONG = "é" * 4096 + "x"
BAD_QUESTIONS = {
    "empty": {"question": ""},
    "blank": {"question": " \n\t"},
    "missing": {},
    "over 8 KiB": {"question": "x" * 8193},
    "over 8 KiB in UTF-8": {"question": LONG},
    "half a surrogate pair": b'{"question": "\\ud800"}',
    "a number": {"question": 5},
    "null": {"question": None},
    "unknown field": {"question": "x", "topk": 5},
    "unknown filter": {"question": "x", "filters": {"author": "y"}},
    "top_k 0": {"question": "x", "top_k": 0},
    "top_k 51": {"question": "x", "top_k": 51},
    "top_k 1e9": {"question": "x", "top_k": 10**9},
    "top_k as text": {"question": "x", "top_k": "8"},
    "top_k true": {"question": "x", "top_k": True},
    "top_k NaN": b'{"question": "x", "top_k": NaN}',
    "top_k Infinity": b'{"question": "x", "top_k": Infinity}',
    "unknown verify": {"question": "x", "verify": "maybe"},
    "unknown role": {"question": "x", "history": [{"role": "system", "content": "y"}]},
    "51 turns": {"question": "x", "history": [{"role": "user", "content": "y"}] * 51},
    "long turn": {"question": "x", "history": [{"role": "user", "content": LONG}]},
    "turn with more": {"question": "x", "history": [{"role": "user", "content": "y", "name": "z"}]},
    "not a day": {"question": "x", "filters": {"date_from": "2024-13-01"}},
    "not an ISO day": {"question": "x", "filters": {"date_to": "16.4.2024"}},
    "days in the wrong order": {
        "question": "x",
        "filters": {"date_from": "2024-02-01", "date_to": "2024-01-01"},
    },
    "empty path": {"question": "x", "filters": {"path": ""}},
    "a list": [],
    "text": "question",
}


@pytest.mark.parametrize("body", BAD_QUESTIONS.values(), ids=BAD_QUESTIONS.keys())
def test_a_bad_question_is_refused_with_422_and_changes_nothing(call, service, body):
    as_json = {"content": body, "headers": {"content-type": "application/json"}}
    response = call("POST", "/v1/query", **(as_json if isinstance(body, bytes) else {"json": body}))
    assert response.status_code == 422
    assert response.json()["code"] == "invalid"
    assert not service.entered.is_set()


BAD_JSON = {
    "cut": b'{"question": "x"',
    "no JSON": b"question=x",
    "not UTF-8": b'{"question": "\xff"}',
    "deep": b'{"question": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "long number": b'{"question": "x", "top_k": ' + b"9" * 200_000 + b"}",
}


@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_what_is_not_json_is_refused_with_400(call, body):
    response = call("POST", "/v1/query", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (400, "bad_json")


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
             "application/jsonp", "application/json; charset=utf-16"],
)  # fmt: skip
def test_a_body_that_does_not_call_itself_json_is_refused(call, kind):
    headers = {"content-type": kind} if kind else {}
    response = call("POST", "/v1/query", content=b'{"question": "x"}', headers=headers)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=UTF-8"])
def test_json_may_be_named_as_people_name_it(call, kind):
    response = call("POST", "/v1/query", content=b'{"question": "x"}', headers={"content-type": kind})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("route", "body"), [("query", {"question": "x"}), ("search", {"query": "x"}), ("verify", {"text": "x"})]
)
def test_an_unknown_collection_is_not_found(call, route, body):
    response = call("POST", f"/v1/{route}", json={**body, "collection": "other"})
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_stream_about_an_unknown_collection_is_an_ordinary_404(call):
    response = call("POST", "/v1/query", json={"question": "x", "collection": "other", "stream": True})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_search_gives_hits_with_their_scores(call):
    body = call("POST", "/v1/search", json={"query": CALL, "top_k": 2}).json()
    assert list(body) == ["hits", "degraded", "timings_ms"]
    assert [hit["paragraph"] for hit in body["hits"]] == [2, 1]
    assert {"path", "paragraph", "line_start", "line_end", "score", "scores", "text"} <= body["hits"][
        0
    ].keys()


def test_verify_gives_a_verdict_for_each_sentence(call):
    body = call("POST", "/v1/verify", json={"text": "The moon is made of cheese."}).json()
    assert body["citations"] == []
    assert list(body["sentences"][0]) == [
        "index", "start", "end", "verdict", "score", "citations", "text", "layer"
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", " ", "x" * 65537])
def test_verify_refuses_no_text_and_too_much(call, text):
    assert call("POST", "/v1/verify", json={"text": text}).status_code == 422


def test_collections_are_listed(call):
    assert call("GET", "/v1/collections").json() == {"collections": [{"name": "default"}]}


def test_documents_come_in_pages(call):
    first = call("GET", "/v1/documents?limit=1").json()
    second = call("GET", "/v1/documents?limit=1&offset=1").json()
    assert (first["total"], first["limit"], first["offset"]) == (2, 1, 0)
    assert [page["documents"][0]["path"] for page in (first, second)] == ["call.txt", "visit.md"]
    assert call("GET", "/v1/documents?offset=2").json()["documents"] == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "offset=-1", "offset=9999999999999", "page=1", "collection="]
)
def test_a_bad_page_is_refused(call, query):
    assert call("GET", f"/v1/documents?{query}").status_code == 422


@pytest.fixture
def first(call):
    return call("GET", "/v1/documents").json()["documents"][0]["id"]


def test_a_document_and_its_paragraphs_are_read_by_id(call, first):
    assert call("GET", f"/v1/documents/{first}").json()["path"] == "call.txt"
    body = call("GET", f"/v1/documents/{first}/paragraphs").json()
    assert body["document"]["id"] == first
    assert [item["paragraph"] for item in body["paragraphs"]] == [1, 2, 3]


def test_a_paragraph_is_read_by_its_number(call, first):
    one = call("GET", f"/v1/documents/{first}/paragraphs/2").json()
    assert (one["text"], one["line_start"], one["url"][-3:]) == ("The call lasted 45 minutes.", 2, "#p2")
    assert one in call("GET", f"/v1/documents/{first}/paragraphs").json()["paragraphs"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/documents/nope", 404),
        ("/v1/documents/nope/paragraphs", 404),
        ("/v1/documents/nope/paragraphs/1", 404),
        ("/v1/documents/{id}/paragraphs/4", 404),
        ("/v1/documents/{id}/paragraphs/99999999999999999999999", 404),
        ("/v1/documents/{id}/paragraphs/0", 422),
        ("/v1/documents/{id}/paragraphs/-1", 422),
        ("/v1/documents/{id}/paragraphs/two", 422),
        ("/v1/documents/{id}?collection=other", 404),
        ("/v1/documents/{id}?colection=default", 422),
        ("/v1/documents?collection=other", 404),
        ("/documents/nope", 404),
        ("/documents/..%2f..%2fetc%2fpasswd", 404),
        ("/v1/nothing", 404),
        ("/v1/query/", 404),
    ],
)
def test_what_is_not_there_is_a_problem(call, first, path, status):
    response = call("GET", path.format(id=first))
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_a_method_that_is_not_taken_names_those_that_are(call):
    response = call("DELETE", "/v1/query")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["code"] == "method_not_allowed"


def test_the_page_of_a_document_has_an_anchor_for_each_paragraph_and_no_markup_of_its_text(call):
    script = call("GET", "/v1/documents").json()["documents"][1]["id"]
    response = call("GET", f"/documents/{script}")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert 'id="p1"' in response.text
    assert 'id="p2"' in response.text
    assert "<script" not in response.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; A visit" in response.text
    assert "90 minutes &amp; ended well." in response.text


def test_the_reference_names_every_route_and_loads_nothing(call, app):
    page = call("GET", "/docs").text
    for path in app.openapi()["paths"]:
        assert f" {path}</h2>" in page
    for loading in ("<script", "src=", "@import", "<link", "url("):
        assert loading not in page


def test_live_is_live_and_ready_says_why_not(call, service):
    assert call("GET", "/livez").json() == {"status": "ok"}
    assert call("GET", "/readyz").json() == {"ready": True}
    service.is_ready = (False, ("no index yet",))
    response = call("GET", "/readyz")
    assert (response.status_code, response.json()["reasons"]) == (503, ["no index yet"])
    assert call("GET", "/livez").status_code == 200


def test_before_the_index_is_open_routes_say_so_and_live_answers(call, state):
    state._service, state.starting = None, "opening the index"
    assert call("GET", "/livez").status_code == 200
    assert call("GET", "/readyz").json()["reasons"] == ["opening the index"]
    response = call("POST", "/v1/query", json={"question": "x"})
    assert (response.status_code, response.json()["code"]) == (503, "starting")
    assert response.headers["retry-after"] == "2"


def test_too_many_questions_at_once_are_refused_at_once(call, state):
    state._asking = 32
    response = call("POST", "/v1/query", json={"question": "x"})
    assert (response.status_code, response.json()["code"]) == (503, "overloaded")
    assert response.json()["retryable"] is True
