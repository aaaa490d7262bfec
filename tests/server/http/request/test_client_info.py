"""Who asks by HTTP: forwarded words are believed from proxies of ours only; the page alone sets the identity cookie."""

import http.client
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp.test_utils import make_mocked_request

from ext.accept.handshake import Judge
from server.http.request.client_info import ClientInfo
from server.ops.security import identity_cookie
from tests.server.site.web.servers import Server

VALUE = "AbCdEfGhIjKlMnOpQrStUv"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_SERVER__PROXIES="127.0.0.7/32")
    yield server
    server.stop()


def answered(server: Server, path: str = "/", source: str = "127.0.0.1", **headers: str) -> http.client.HTTPResponse:
    """The answer to a GET from a loopback address of one's choice."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10, source_address=(source, 0))
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def cookies(answer: http.client.HTTPResponse) -> SimpleCookie:
    return SimpleCookie("\r\n".join(answer.headers.get_all("Set-Cookie", [])))


def test_a_first_visit_of_the_page_brings_a_cookie_that_we_know_again(served: Server) -> None:
    value = cookies(answered(served))["id"].value
    assert identity_cookie.Identities(bytes(32)).of(value.encode())
    assert cookies(answered(served, Cookie=f"id={value}"))["id"].value == value


def test_a_visit_that_has_the_page_already_renews_the_cookie_too(served: Server) -> None:
    tag = answered(served).headers["ETag"]
    again = answered(served, If_None_Match=tag, Cookie=f"id={VALUE}")
    assert again.status == 304
    assert cookies(again)["id"].value == VALUE
    assert cookies(again)["id"]["max-age"] == str(identity_cookie.LIFE)


@pytest.mark.parametrize("path", ["/healthz", "/api/status", "/nothing", "/sw.js"])
def test_nothing_but_the_page_sets_a_cookie(served: Server, path: str) -> None:
    assert answered(served, path).headers.get_all("Set-Cookie") is None


def test_https_is_believed_from_a_proxy_of_ours_only(served: Server) -> None:
    behind = cookies(answered(served, source="127.0.0.7", X_Forwarded_Proto="https"))
    assert behind["__Host-id"]["secure"]
    assert "__Host-id" not in cookies(answered(served, source="127.0.0.8", X_Forwarded_Proto="https"))


@pytest.mark.parametrize("tossed", ["id={}", "x=1 __Host-id={}", "\u2000__Host-id={}"])
def test_by_https_no_cookie_of_another_name_of_the_domain_becomes_an_identity(served: Server, tossed: str) -> None:
    behind = {"source": "127.0.0.7", "X_Forwarded_Proto": "https"}
    sent = tossed.format(VALUE).encode().decode("latin-1")
    assert cookies(answered(served, Cookie=sent, **behind))["__Host-id"].value != VALUE
    both = cookies(answered(served, Cookie=f"{sent}; __Host-id={VALUE[::-1]}", **behind))
    assert both["__Host-id"].value == VALUE[::-1]


def test_a_strange_cookie_is_replaced_and_harms_nobody(served: Server) -> None:
    for strange in ("x", '"; Domain=evil', "\xff" * 30, "a" * 4000):
        fresh = cookies(answered(served, Cookie=f"id={strange}"))["id"]
        assert len(fresh.value) == 22
        assert not fresh["domain"]


def test_connections_of_a_proxy_are_not_counted_as_one_person(tmp_path: Path) -> None:
    server = Server(
        tmp_path,
        SERENDIP_SERVER__PROXIES="127.0.0.7/32",
        SERENDIP_LIMITS__CONNECT_BURST="3",
        SERENDIP_LIMITS__CONNECT_RATE="0.01",
    )
    try:
        assert [answered(server, "/healthz", "127.0.0.7").status for _ in range(8)] == [200] * 8
        assert [answered(server, "/healthz", "127.0.0.9").status for _ in range(4)] == [200, 200, 200, 429]
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("127.0.0.7", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.7", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.7", "198.51.100.7, 127.0.0.7", "198.51.100.7"),
        ("::ffff:127.0.0.7", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.7", "nonsense", "127.0.0.7"),
        ("127.0.0.7", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_address_is_what_the_last_proxy_of_ours_was_asked_from(peer: str, forwarded: str, address: str) -> None:
    client = ClientInfo(Judge(hosts=[], origins=[], proxies=["127.0.0.7/32"]))
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client.address(make_mocked_request("GET", "/", headers=headers).clone(remote=peer)) == address


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("chat.example", "http://chat.example"),
        ("chat.example:8080", "http://chat.example:8080"),  # where this server listens
        ("Chat.Example:9000", "http://Chat.Example:9000"),  # a page of ours
        ("chat.example:81", "http://chat.example"),
        ("[::1]:81", "http://[::1]"),
        ("[::1]", "http://[::1]"),
    ],
)
def test_a_link_that_leaves_the_server_names_no_port_that_only_the_client_knows(host: str, base: str) -> None:
    client = ClientInfo(Judge(hosts=[], origins=[], proxies=[]), ["http://chat.example:9000"])
    request = make_mocked_request("GET", "/", headers={"Host": host})
    cast(Any, request.transport).get_extra_info.side_effect = {"sockname": ("127.0.0.1", 8080)}.get
    assert client.base(request) == base
