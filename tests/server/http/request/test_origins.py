"""The API is open to pages of listed origins, cookies and all, and to no others: asked as a browser asks."""

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest
from aiohttp.test_utils import make_mocked_request

from server.http.request.origins import from_own_page
from tests.server.site.web.servers import Server

LISTED, STRANGE = "https://front.example", "https://elsewhere.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that lists one origin, and has what a front end may need."""
    server = Server(
        tmp_path_factory.mktemp("data"),
        SERENDIP_SERVER__ORIGINS=LISTED,
        SERENDIP_MAIL__HOST="127.0.0.1",
        SERENDIP_MAIL__PORT="9",
        SERENDIP_TRANSLATION__URL="http://127.0.0.1:9",
    )
    yield server
    server.stop()


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose operator takes pages of every origin."""
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_SERVER__ORIGINS="*")
    yield server
    server.stop()


def ask(
    server: Server, method: str, path: str, origin: str = "", body: str | None = None, **headers: str
) -> HTTPResponse:
    """One request; `Content_Type` is `Content-Type`."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    given = {name.replace("_", "-"): value for name, value in headers.items()} | ({"Origin": origin} if origin else {})
    connection.request(method, path, body, given)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


PREFLIGHT = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "content-type"}


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/translate", "POST"),
        ("/api/college/mail", "POST"),
        ("/api/college/code", "POST"),
        ("/api/college/claim", "POST"),
        ("/api/forget", "POST"),
        ("/api/under-18", "POST"),
        ("/api/rights", "POST"),
        ("/api/snap/NONCE/theirs", "POST"),
        ("/api/snap/NONCE/mine", "POST"),
        ("/api/config", "GET, HEAD"),
    ],
)
def test_a_preflight_of_a_listed_origin_is_granted_and_another_one_s_is_not(
    server: Server, path: str, methods: str
) -> None:
    granted = ask(server, "OPTIONS", path, LISTED, **PREFLIGHT)
    assert granted.status == 204
    assert granted.headers["Access-Control-Allow-Origin"] == LISTED
    assert granted.headers["Access-Control-Allow-Credentials"] == "true"
    assert granted.headers["Access-Control-Allow-Methods"] == methods
    assert "content-type" in granted.headers["Access-Control-Allow-Headers"].lower()
    assert "Origin" in granted.headers["Vary"]
    for origin in (STRANGE, "null", ""):
        refused = ask(server, "OPTIONS", path, origin, **PREFLIGHT)
        assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (405, None)


def test_what_is_not_there_is_not_granted(server: Server) -> None:
    assert ask(server, "OPTIONS", "/api/nothing", LISTED, **PREFLIGHT).status == 404
    assert ask(server, "OPTIONS", "/privacy/request/delete", LISTED, **PREFLIGHT).status == 405


@pytest.mark.parametrize(
    "path", ["/api/config", "/api/status", "/api/privacy", "/api/transparency", "/api/statistics", "/api/nothing"]
)
def test_an_answer_names_the_listed_origin_that_may_read_it_and_no_other(server: Server, path: str) -> None:
    told = ask(server, "GET", path, LISTED).headers
    assert (told["Access-Control-Allow-Origin"], told["Access-Control-Allow-Credentials"]) == (LISTED, "true")
    for origin in (STRANGE, "null", ""):
        told = ask(server, "GET", path, origin).headers
        assert told["Access-Control-Allow-Origin"] is None
        assert told["Access-Control-Allow-Credentials"] is None
        assert "Origin" in told["Vary"]  # or a cache gives one origin's answer to another one


@pytest.mark.parametrize("path", ["/api/forget", "/api/under-18", "/api/translate", "/api/college/mail"])
def test_a_post_of_a_listed_origin_is_taken_and_another_one_s_is_not(server: Server, path: str) -> None:
    sent = {"body": "{}", "Content_Type": "application/json", "Sec_Fetch_Site": "cross-site"}
    assert ask(server, "POST", path, STRANGE, **sent).status == 403
    taken = ask(server, "POST", path, LISTED, **sent)
    assert taken.status in ({204} if path in {"/api/forget", "/api/under-18"} else {400, 403})
    assert taken.headers["Access-Control-Allow-Origin"] == LISTED


def test_forms_of_our_documents_are_still_for_our_own_pages(server: Server) -> None:
    kind = "application/x-www-form-urlencoded"
    answer = ask(server, "POST", "/notice", LISTED, "kind=other", Content_Type=kind, Sec_Fetch_Site="cross-site")
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (403, None)


def test_the_specifications_stay_readable_from_everywhere(server: Server) -> None:
    assert ask(server, "GET", "/api/openapi.json", STRANGE).headers["Access-Control-Allow-Origin"] == "*"
    assert ask(server, "GET", "/api/openapi.json", LISTED).headers["Access-Control-Allow-Origin"] == LISTED


def test_where_every_origin_is_taken_none_brings_a_cookie(open_server: Server) -> None:
    told = ask(open_server, "GET", "/api/config", STRANGE).headers
    assert (told["Access-Control-Allow-Origin"], told["Access-Control-Allow-Credentials"]) == ("*", None)
    granted = ask(open_server, "OPTIONS", "/api/rights", STRANGE, **PREFLIGHT)
    assert (granted.status, granted.headers["Access-Control-Allow-Credentials"]) == (204, None)
    sent = {"Sec_Fetch_Site": "cross-site"}
    assert ask(open_server, "POST", "/api/forget", STRANGE, **sent).status == 403


HOST = "chat.example:8443"


def asked(*, takes_null: bool = True, **headers: str) -> bool:
    """The verdict about a POST with these headers (`Sec_Fetch_Site` is `Sec-Fetch-Site`)."""
    given = {"Host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
    return from_own_page(make_mocked_request("POST", "/", headers=given), takes_null=takes_null)


def test_a_form_of_our_documents_has_no_origin_but_the_browser_says_where_it_is_from() -> None:
    assert asked(Origin="null", Sec_Fetch_Site="same-origin")
    assert not asked(Origin="null", Sec_Fetch_Site="cross-site")


def test_where_documents_send_their_origin_none_is_another_page() -> None:
    assert not asked(Origin="null", takes_null=False)
    assert not asked(Origin="null", Sec_Fetch_Site="same-origin", takes_null=False)
    assert asked(Origin=f"https://{HOST}", takes_null=False)
    assert asked(takes_null=False)


def test_a_program_sends_neither_header() -> None:
    assert asked()


@pytest.mark.parametrize("origin", [f"https://{HOST}", f"http://{HOST}", "https://Chat.Example:8443"])
def test_our_own_origin_is_ours(origin: str) -> None:
    assert asked(Origin=origin)
    assert asked(Origin=origin, Sec_Fetch_Site="same-origin")


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://[", "", "://", "https://chat.example", f"https://{HOST}.evil.example", HOST],
)
def test_another_origin_and_what_is_none_is_not_ours(origin: str) -> None:
    assert not asked(Origin=origin)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "x"])
def test_the_word_of_the_browser_stands_above_an_origin(site: str) -> None:
    assert not asked(Origin=f"https://{HOST}", Sec_Fetch_Site=site)
    assert not asked(Sec_Fetch_Site=site)
