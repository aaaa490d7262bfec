"""Test challenges with the service's own worker: made in a thread, sent, solved, and never bound to an address."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import altcha
import pytest

from engine.core.ports import Bus, Out, Outside
from engine.engine import Engine, Session, Settings
from engine.wire.protocol import PLAIN, PRIVATE, PROGRAM
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.net.chat_ring import Rings
from ext.reactor.reactor import Reactor
from server.ops.config.challenge_settings import Challenge
from server.ops.security.identity_cookie import Identities
from server.ops.security.resume_tokens import Tokens
from server.ops.security.secret_keys import Keys, Purpose, load
from server.realtime.worker.worker_loop import Worker
from server.trust.challenge.altcha_puzzles import Puzzles
from server.trust.challenge.session_challenges import BUSY, MADE_BURST, MAKING_MAX, SessionChallenges
from tests.ext.net.rig import head
from tests.server.realtime.worker.late_ports import LatePorts
from tests.server.realtime.worker.test_worker_loop import Client, find, quiet
from tests.server.trust.challenge.test_altcha_puzzles import solved


class Service:
    """A worker with challenges on, whose puzzles are little work."""

    def __init__(self, keys: Keys, /, **chosen: Any) -> None:
        self.puzzles = Puzzles(keys.derive(Purpose.CHALLENGE), cost=1)
        self.asking = SessionChallenges(self.puzzles, Challenge.model_validate(chosen))
        self.asking.use(("127.0.0.1",))
        reactor = Reactor(
            judge=Judge(hosts=("localhost",), origins=("*",), proxies=()),
            addresses=Addresses(open_max=1000, burst=1000, rate=1000, limits=False),
            now=0.0,
            limits=False,
        )

        def make_engine(outside: Outside, out: Out, bus: Bus) -> Engine:
            return Engine.build(Rings(1 << 20), outside, out, bus, Settings(find_burst=1_000, challenges=True))

        outside = {"make_challenge": self.asking.ask, "check_answer": self.asking.check}
        self.ports = LatePorts()
        self.worker = Worker(
            reactor, make_engine, outside, Tokens(keys), Identities(bytes(32)), 15.0, ports=self.ports.given()
        )
        self.clients: list[Client] = []
        self.asking.begin(self.worker)
        self.worker.start()

    def connection(self) -> Client:
        """Of somebody who said nothing yet; it is closed in the end."""
        self.clients.append(Client(self.worker))
        return self.clients[-1]

    async def client(self, **fields: str) -> Client:
        """Somebody who was greeted. `fields`: of the request's head."""
        client = self.connection()
        client.sock.send(head(**fields))
        await quiet(self.worker)
        assert client.hear()[0]["type"] == "hello"
        return client

    def session(self) -> Session:
        """The newest one."""
        return list(self.worker.engine.sessions.values())[-1]

    async def told(self, client: Client, type: str) -> dict[str, Any]:
        """The next frame of that type."""
        async with asyncio.timeout(30):
            while True:
                for frame in client.hear():
                    if frame["type"] == type:
                        return frame
                await asyncio.sleep(0)


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return load(tmp_path)


@pytest.fixture
async def service(secret: Keys) -> AsyncIterator[Service]:
    service = Service(secret)
    yield service
    await service.asking.close()
    service.worker.stop()
    for client in service.clients:
        client.sock.close()


def suspect(service: Service) -> Session:
    session = service.session()
    service.worker.engine.friction.opener(session.person, asyncio.get_running_loop().time())
    return session


async def test_a_challenge_is_made_sent_and_solved(service: Service) -> None:
    client = await service.client()
    session = suspect(service)
    client.say(find("chess"))
    made = await service.told(client, "challenge")
    assert (made["kind"], made["within"]) == ("altcha", 600)
    parameters: Any = made["parameters"]
    assert parameters["parameters"]["data"] == {"s": f"{session.id:x}", "l": 2}, "no cookie is a point too"
    client.say(solution(solved(parameters)))
    assert await service.told(client, "solved") == {"type": "solved", "kind": "altcha"}
    client.say(find("chess"))
    await service.told(client, "waiting")


async def test_another_session_s_solution_is_wrong(service: Service) -> None:
    one, two = await service.client(), await service.client()
    for session in service.worker.engine.sessions.values():
        service.worker.engine.friction.opener(session.person, asyncio.get_running_loop().time())
    for client in (one, two):
        client.say(find("chess"))
    answer = solved((await service.told(one, "challenge"))["parameters"])
    await service.told(two, "challenge")
    two.say(solution(answer))
    again: Any = (await service.told(two, "challenge"))["parameters"]
    assert again["parameters"]["data"]["l"] == 3, "one level up"
    one.say(solution(answer))
    await service.told(one, "solved")


async def test_who_has_no_cryptography_waits(service: Service) -> None:
    for way in (PLAIN, PROGRAM):
        client = await service.client()
        suspect(service).way = way
        client.say(find("chess"))
        assert (await service.told(client, "error"))["retry_after"] == 8.0


@pytest.mark.parametrize(
    ("origin", "gpc", "way"),
    [
        ("", "", 0),
        ("https://chat.example", "", 0),
        ("http://chat.example", "", PLAIN),
        ("http://192.0.2.1:8080", "", PLAIN),
        ("http://127.evil.example", "", PLAIN),
        ("http://localhost.evil.example", "", PLAIN),
        ("http://localhost:8080", "", 0),
        ("http://127.0.0.1:8080", "", 0),
        ("http://[::1]:8080", "", 0),
        ("http://a.localhost", "", 0),
        ("https://chat.example", "1", PRIVATE),
        ("http://chat.example", "1", PLAIN | PRIVATE),
        ("", "0", 0),
    ],
)
async def test_a_head_says_whether_its_page_has_cryptography_and_wants_no_other_company(
    service: Service, origin: str, gpc: str, way: int
) -> None:
    await service.client(origin=origin, sec_gpc=gpc)
    assert service.session().way == way


async def test_no_more_than_a_number_are_made_at_once(service: Service) -> None:
    session = Session(1, 0, 0, "192.0.2.1")
    assert [service.asking.ask(session, 1) for _ in range(MAKING_MAX + 1)] == [0.0] * MAKING_MAX + [-1.0]


async def test_a_network_that_got_its_share_of_puzzles_waits_alone(service: Service) -> None:
    flood = [Session(1, 0, 0, "192.0.2.1"), Session(2, 0, 0, "192.0.2.254")]
    for number in range(MADE_BURST):
        assert service.asking.ask(flood[number % 2], 1) == 0.0
        if number % MAKING_MAX == 0:
            await asyncio.gather(*service.asking._tasks)
    await asyncio.gather(*service.asking._tasks)
    assert [service.asking.ask(session, 1) for session in flood] == [BUSY, BUSY]
    assert [service.asking.ask(Session(3, 0, 0, address), 1) for address in ("192.0.3.1", "2001:db8::1")] == [0.0, 0.0]


async def test_who_is_gone_when_it_is_made_is_told_nothing(service: Service) -> None:
    assert service.asking.ask(Session(1, 0, 0, "192.0.2.1"), 1) == 0.0
    await asyncio.gather(*service.asking._tasks)
    assert not any(what.endswith("asked") for what in service.worker.engine.tally)


async def test_one_that_cannot_be_made_is_logged_and_asked_for_anew(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_session: int, _level: int) -> None:
        raise RuntimeError

    client = await service.client()
    session = suspect(service)
    with monkeypatch.context() as patch:
        patch.setattr(service.puzzles, "make", fails)
        client.say(find("chess"))
        await service.told(client, "error")
        await asyncio.gather(*service.asking._tasks)
    assert session.trial is not None
    assert not session.trial.asked
    client.say(find("chess"))
    await service.told(client, "challenge")


async def test_using_a_right_changes_no_counter(service: Service) -> None:
    """Whatever is asked by HTTP, of one's data or else, comes by no session: `engine.conduct.friction_points` counts connections and searches of
    `/ws` alone."""
    client = await service.client()
    session, friction = service.session(), service.worker.engine.friction
    before = len(friction)
    heard: list[int] = []
    service.ports.on_http = lambda conn, _data, _now: heard.append(conn)
    for path in ("/privacy/request", "/privacy/know", "/api/forget"):
        asks = service.connection()
        asks.sock.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await quiet(service.worker)
    assert len(heard) == 3
    assert len(friction) == before
    assert friction.points(session.person, 0, "198.51.100.1", 0.0) == 1, "no cookie"
    client.say(b'{"type":"block"}', b'{"type":"seen","id":"n1"}')
    await quiet(service.worker)
    assert friction.points(session.person, 0, "198.51.100.2", 0.0) == 1


def solution(response: str) -> bytes:
    return b'{"type":"solution","kind":"altcha","response":"%s"}' % response.encode()


def test_the_library_is_new_enough() -> None:
    """Before 2.3 a challenge could be made of the pieces of others."""
    from importlib.metadata import version

    assert tuple(map(int, version("altcha").split(".")[:2])) >= (2, 3)
    assert altcha.__name__ == "altcha"
