"""A Host that is not known is not answered, however it is spelled."""

import pytest

from server.security import hosts

NAMES = ("localhost", "127.0.0.1", "[::1]", "Chat.Example")


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:8080", "127.0.0.1:1", "[::1]", "[::1]:8080", "chat.example", "chat.example.:443"]
)
def test_a_known_name_is_known_with_any_port_and_case(host: str) -> None:
    assert hosts.known(host, NAMES)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        ":8080",
        "evil.example",
        "localhost.evil.example",
        "localhost:80:80",
        "127.0.0.1 ",
        "::1",
        "[::1",
        "[::1]:",
        "x" * 9000,
    ],
)
def test_any_other_name_is_not(host: str | None) -> None:
    assert not hosts.known(host, NAMES)


def test_a_star_answers_to_every_name_but_not_to_none() -> None:
    assert hosts.known("whatever.example:1", ("*",))
    assert not hosts.known(None, ("*",))
