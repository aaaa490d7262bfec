"""Test a server as a provider of text: what it is sent, and that a bad one is left."""

import asyncio
import contextlib
import json
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

from server.trust.text_provider.provider_program import relay_words
from server.trust.text_provider.provider_protocol import ANSWER_MAX, encode_question
from tests.server.trust.text_provider.test_provider_client import Maker, Run, make
from tests.support.services import free_port
from tests.support.stub import Answering, Stub

__all__ = ["make"]
pytestmark = [pytest.mark.executed, pytest.mark.timeout(240)]


class Provider(Stub):
    """A server that finds hate in "glorp". `wrong`: a status, a body and headers in place of each answer but the first."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        self.heads: list[dict[str, str]] = []
        self.wrong: tuple[int, bytes, dict[str, str]] | None = None
        server = self

        class Handler(Answering):
            def do_POST(self) -> None:
                asked = [json.loads(line) for line in self.body().splitlines()]
                server.asked += asked
                server.heads.append(dict(self.headers.items()))
                if server.wrong is not None and any(one["text"] for one in asked):
                    status, body, headers = server.wrong
                    self.give(status, body, **headers)
                    return
                server.open.wait(60)
                found = [{"class": "hate", "confidence": 0.6, "words": "glorp"}]
                answers = [{"id": one["id"], "found": found if "glorp" in one["text"] else []} for one in asked]
                self.give(200, b"".join(json.dumps(one).encode() + b"\n" for one in answers))

            def do_GET(self) -> None:
                server.asked.append({"followed": self.path})
                self.give(200, b"")

        super().__init__(Handler)


@pytest.fixture
def theirs() -> Iterator[Provider]:
    server = Provider()
    yield server
    server.stop()


def asks(make: Maker, theirs: Provider, **more: object) -> Run:
    """Return a provider that asks the server."""
    return make("", provider="http", provider_url=f"{theirs.url}/lines", provider_key="sesame", **more)


async def test_it_is_sent_the_line_and_a_number_and_nothing_else(make: Maker, theirs: Provider) -> None:
    run = await asks(make, theirs).ready()
    run.say("hello", "a glorp", chat=4711)
    await run.until(lambda: bool(run.found))
    assert run.found == [(4711, 0, 2, "hate.provider.low", 0)]
    assert [one["text"] for one in theirs.asked] == ["", "hello", "a glorp"]
    assert all(set(one) == {"id", "text"} for one in theirs.asked)
    names = {name.lower() for head in theirs.heads for name in head}
    assert names <= {
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "content-type",
        "content-length",
        "connection",
        "authorization",
    }
    assert {head["Authorization"] for head in theirs.heads} == {"Bearer sesame"}


async def test_a_line_of_a_case_is_not_sent_to_a_server(make: Maker, theirs: Provider) -> None:
    run = await asks(make, theirs).ready()
    assert await run.provider.explain("a glorp") == ()
    run.say("hello")
    await run.until(lambda: run.count("lines", "answered") == 1)
    assert [one["text"] for one in theirs.asked] == ["", "hello"]


@pytest.mark.parametrize(
    "wrong",
    [
        (500, b"", {}),
        (302, b"", {"Location": "/elsewhere"}),
        (200, b"x" * (ANSWER_MAX * 64 + 1), {}),
    ],
)
async def test_a_refusal_a_redirection_and_a_flood_end_it_and_it_is_asked_again_later(
    wrong: tuple[int, bytes, dict[str, str]], make: Maker, theirs: Provider
) -> None:
    theirs.wrong = wrong
    run = await asks(make, theirs).ready()
    run.say("a glorp")
    await run.until(lambda: run.count("ends", "ended") == 1)
    assert not any("followed" in one for one in theirs.asked)
    theirs.wrong = None
    await run.ready()
    while not run.found:
        run.say("a glorp")
        await asyncio.sleep(0.02)
    assert run.found[0][3] == "hate.provider.low"


async def test_a_server_that_holds_its_answer_back_is_left(make: Maker, theirs: Provider) -> None:
    run = await asks(make, theirs, provider_seconds=0.5).ready()
    theirs.open.clear()
    while not run.count("ends", "late"):
        run.say("a glorp")
        await asyncio.sleep(0.02)
    assert not run.found


def failed(url: str) -> str:
    """Return what the relay says of a server that it cannot ask."""
    words, environment = relay_words(url, "")
    asked = encode_question(0, "")
    done = subprocess.run(words, env=environment, input=asked, capture_output=True, check=False, cwd="/")
    assert done.returncode == 1
    return done.stderr.decode()


def test_a_server_that_is_away_is_named_with_the_cause_for_the_check() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    said = failed(url)
    assert said.startswith(f"{url}: ")
    assert "Connection refused" in said


def test_a_server_that_speaks_no_http_is_named_in_one_line() -> None:
    def speak() -> None:
        with server.accept()[0] as one, contextlib.suppress(ConnectionResetError):
            one.recv(1 << 16)
            one.sendall(b"220 mail.example\r\n\r\n")
            one.shutdown(socket.SHUT_WR)
            while one.recv(1 << 16):
                pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        speaking = threading.Thread(target=speak)
        speaking.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        (line,) = failed(url).splitlines()
        speaking.join()
    assert line.startswith(f"{url}: BadStatusLine(")
