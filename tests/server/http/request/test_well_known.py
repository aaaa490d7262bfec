"""What other programs look for at every site: whom to tell of a security problem, and that GPC is honoured."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from server.ops.config.settings import Operator
from tests.server.site.web.servers import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Whose operator can be told."""
    made = Server(
        tmp_path_factory.mktemp("data"), SERENDIP_SERVER__HOSTS="chat.example,127.0.0.1",
        SERENDIP_OPERATOR__SECURITY_CONTACT="security@chat.example",
        SERENDIP_OPERATOR__SECURITY_POLICY="https://chat.example/security",
    )  # fmt: skip
    yield made
    made.stop()


async def got(server: Server, path: str) -> tuple[int, str, str]:
    """(status, type, body)."""
    async with aiohttp.ClientSession() as http, http.get(server.url.rstrip("/") + path) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.text()


async def test_who_finds_a_fault_reads_whom_to_tell_and_until_when_that_holds(server: Server) -> None:
    status, kind, text = await got(server, "/.well-known/security.txt")
    assert (status, kind) == (200, "text/plain; charset=utf-8")  # RFC 9116, 3
    fields = dict(line.split(": ", 1) for line in text.splitlines())
    assert (fields["Contact"], fields["Policy"]) == ("mailto:security@chat.example", "https://chat.example/security")
    left = datetime.datetime.fromisoformat(fields["Expires"]) - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(days=30) < left < datetime.timedelta(days=365)


async def test_gpc_is_said_to_be_honoured(server: Server) -> None:
    status, kind, text = await got(server, "/.well-known/gpc.json")
    assert (status, kind) == (200, "application/json; charset=utf-8")
    assert text.startswith('{"gpc": true, "lastUpdate": "20')


async def test_nobody_is_named_while_nobody_is_set(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        assert (await got(server, "/.well-known/security.txt"))[0] == 404
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("given", "uri"),
    [
        ("", ""),
        ("security@chat.example", "mailto:security@chat.example"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("https://chat.example/report", "https://chat.example/report"),
        ("tel:+1-201-555-0123", "tel:+1-201-555-0123"),
    ],
)
def test_a_contact_is_a_uri(given: str, uri: str) -> None:
    assert Operator(security_contact=given).security_contact == uri


@pytest.mark.parametrize("wrong", ["me", "http://chat.example", "a@b.example\nContact: evil@x.example", "javascript:1"])
def test_what_is_no_contact_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="is wanted"):
        Operator(security_contact=wrong)
