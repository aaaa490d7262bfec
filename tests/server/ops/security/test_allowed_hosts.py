"""A Host that is not known is not answered, however it is spelled, by pages and by `/ws` alike."""

import pytest

from ext.accept.handshake import Judge
from ext.reactor.debug_hooks import examine
from server.ops.security import allowed_hosts
from tests.ext.net.rig import head

NAMES = ("localhost", "127.0.0.1", "[::1]", "Chat.Example", "*.Many.Example.")
JUDGE = Judge(hosts=NAMES, origins=(), proxies=())
KNOWN = [
    "localhost",
    "LocalHost:8080",
    "127.0.0.1:1",
    "[::1]",
    "[::1]:8080",
    "chat.example",
    "chat.example.",
    "chat.example.:443",
    "CHAT.Example.:8080",
    "front1.many.example",
    "Front1.Many.Example.:8080",
]
UNKNOWN = [
    ":8080",
    "evil.example",
    "evil.example.",
    "localhost.evil.example",
    "localhost:80:80",
    "localhost:",
    "localhost:http",
    "localhost..",
    "localhost:８０",
    "127.0.0.1 x",
    "::1",
    "[::1",
    "[::1]:",
    "[::1]x:80",
    "[::2]",
    "many.example",
    ".many.example",
    "a.b.many.example",
    "notmany.example",
    "front1.many.example.evil",
    "*.chat.example",
    "x" * 9000,
]


def by_pages(host: str) -> bool:
    """Whether a page is answered."""
    return allowed_hosts.known(host, NAMES)


def by_ws(host: str) -> bool:
    """Whether a WebSocket is not sent to another server."""
    status = examine(JUDGE, head(host=host), "127.0.0.1")[0]
    assert status in {101, 421}
    return status == 101


@pytest.mark.parametrize("host", KNOWN)
def test_a_known_name_is_known_with_any_port_case_and_a_dot_at_the_end(host: str) -> None:
    assert (by_pages(host), by_ws(host)) == (True, True)


@pytest.mark.parametrize("host", UNKNOWN)
def test_any_other_name_is_not(host: str) -> None:
    assert (by_pages(host), by_ws(host)) == (False, False)


@pytest.mark.parametrize("host", [None, "", "127.0.0.1 "])
def test_no_name_is_no_name_of_ours(host: str | None) -> None:
    assert not allowed_hosts.known(host, NAMES)


def test_a_name_configured_with_a_dot_or_in_capitals_is_the_same_name() -> None:
    assert allowed_hosts.known("chat.example", ("CHAT.Example.",))
    judge = Judge(hosts=("CHAT.Example.",), origins=(), proxies=())
    assert examine(judge, head(host="chat.example"), "::1")[0] == 101


def test_a_star_answers_to_every_name_but_not_to_none() -> None:
    assert allowed_hosts.known("whatever.example:1", ("*",))
    assert not allowed_hosts.known(None, ("*",))


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("chat.example.", "http://chat.example.", 101),
        ("chat.example", "http://chat.example.", 101),
        ("chat.example.", "https://Chat.Example", 101),
        ("chat.example.:8080", "http://chat.example:8080", 101),
        ("chat.example.:8080", "http://chat.example:9090", 403),
        ("chat.example.", "http://evil.example.", 403),
        ("chat.example", "null", 403),
    ],
)
def test_an_origin_is_compared_by_the_same_rule(host: str, origin: str, status: int) -> None:
    assert examine(JUDGE, head(host=host, origin=origin), "127.0.0.1")[0] == status


@pytest.mark.parametrize(
    ("names", "origin"),
    [
        (("localhost", "127.0.0.1", "[::1]"), ""),
        (("*",), ""),
        (("localhost", "192.0.2.7", "Chat.Example.", "other.example"), "https://chat.example"),
        (("chat.localhost.example",), "https://chat.localhost.example"),
        (('"><script>.example', "[2001:db8::1]"), ""),
    ],
)
def test_where_the_page_is_on_the_web_is_the_first_name_that_others_can_open(
    names: tuple[str, ...], origin: str
) -> None:
    assert allowed_hosts.origin(names) == origin
