"""Who is here, by id, connection and session: each is found by what it has, and nobody by what it had."""

from __future__ import annotations

import time

import orjson

from server.realtime.worker.worker_loop import Worker
from tests.server.site.omegle.test_client_record import FIND, adapter, secret, worker  # noqa: F401 - fixtures


async def test_a_client_is_found_by_its_session_and_its_connection_as_long_as_it_has_them(
    worker: Worker,  # noqa: F811 - a fixture
) -> None:
    table = adapter(worker)
    client = table.start(FIND, "AAAA2222", "192.0.2.1")
    assert client is not None
    session, conn = client.session, client.conn
    assert (table.of(session.id), table._by_conn) == (client, {conn: client})
    table.part(client)
    assert (client.conn, table._by_conn, table.of(session.id)) == (0, {}, client)
    table.join(client, session, conn)
    assert (client.conn, table._by_conn, table._away) == (conn, {conn: client}, {})
    table.part(client)
    table.join(client, session, 0)
    assert (table._by_conn, table._away) == ({}, {client.id: client})


async def test_who_is_about_to_end_or_is_being_told_does_not_go(worker: Worker) -> None:  # noqa: F811 - a fixture
    table = adapter(worker)
    client = table.start(FIND, "AAAA2222", "192.0.2.1")
    assert client is not None
    client.carrying = True
    assert not table.ready(client)
    client.carrying = False
    assert table.ready(client)
    table._over(client)
    assert not table.ready(client)
    table._clear()
    assert table.ready(client)
    (piece, blobs, descriptors), *more = table.rest(time.monotonic())
    assert (descriptors, more, table.clients) == ([], [], {})
    other = adapter(worker)
    other.take_rest(orjson.loads(orjson.dumps(piece)), blobs, time.monotonic(), descriptors)
    assert other.knows(client.id)
    assert await other.lately("AAAA2222", "192.0.2.1") is None
