"""Check that users of refused countries are refused at the connection, and that a country added later ends their sessions."""

from __future__ import annotations

from typing import Any

from server.realtime.worker import session_recheck
from server.realtime.worker.country_gate import CountryGate
from server.realtime.worker.worker_loop import Worker
from tests.server.realtime.worker.late_ports import LatePorts
from tests.server.realtime.worker.test_worker_loop import Client, connected, quiet

COUNTRIES = {"192.0.2.1": "GB", "192.0.2.2": "NO"}  # `Client` comes from the first


def gate(*refused: str) -> CountryGate:
    made = CountryGate(COUNTRIES.get)
    made.use(refused)
    return made


async def test_a_user_of_a_refused_country_gets_no_session_and_nothing_is_kept(
    worker: Worker, ports: LatePorts
) -> None:
    records: list[Any] = []
    refusing = gate("GB")
    ports.find_country_refusal, ports.keep = refusing.refusal, records.append
    worker.start()
    client = Client(worker)
    client.sock.send(b"GET /ws HTTP/1.1\r\nHost: localhost\r\n" + UPGRADE)
    await quiet(worker)
    assert [(said["type"], said["code"]) for said in client.hear()] == [("error", "country")]
    assert not worker.engine.sessions
    assert not records
    assert refusing.reading() == {"serendip_country_refusals": 1}
    client.sock.close()


UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def test_whoever_is_here_as_their_country_is_added_is_told_and_ended(worker: Worker, ports: LatePorts) -> None:
    refusing = gate()
    ports.find_country_refusal = refusing.refusal
    (client,) = await connected(worker, 1)
    assert client.hear() == []
    assert refusing.use(("NO", "GB")), "there are new ones, so the sessions are looked at"
    await session_recheck.look(worker, list(worker.engine.sessions.values()))
    await quiet(worker)
    assert [said["code"] for said in client.hear()] == ["country"]
    assert not worker.engine.sessions
    client.sock.close()


def test_an_address_without_a_known_country_is_served() -> None:
    refusing = gate("GB", "NO")
    assert refusing.refusal("192.0.2.3") is None
    assert refusing.refusal("") is None
    assert refusing.refusals == 0


def test_taking_a_country_off_the_list_ends_no_session() -> None:
    refusing = gate("GB", "NO")
    assert not refusing.use(("GB",))
    assert refusing.refusal("192.0.2.2") is None
    assert refusing.refusal("192.0.2.1") is not None
