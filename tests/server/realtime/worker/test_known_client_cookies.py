"""Who was here a day ago connects on a bucket of their own, and who dropped out a moment ago is known."""

from pathlib import Path

import pytest

from engine.conduct.friction_points import DAY
from engine.engine import Engine
from server.main.parts.reception import Reception
from server.ops.config.settings import Settings
from server.ops.security import secret_keys
from server.realtime.worker.known_client_cookies import BURST, RATE, ReturningClients

pytestmark = pytest.mark.blocking  # it is made before anybody is served: files are read
HERE = "192.0.2.1"
COOKIES = [letter * 22 for letter in (b"A", b"B")]


@pytest.fixture
async def reception(tmp_path: Path) -> Reception:
    return Reception(Settings(), secret_keys.load(tmp_path))


FIRST = 1_000.0  # second at which they come: who comes earlier may have been here before the process was


def seen(reception: Reception) -> Engine:
    engine = reception.worker.engine
    engine.friction.opened(99, HERE, 0.0)
    for cookie in COOKIES:
        engine.friction.opened(reception.worker.identities.of(cookie), HERE, FIRST)
    return engine


async def test_a_cookie_of_yesterday_has_a_few_connections_of_its_own(reception: Reception) -> None:
    known = ReturningClients(reception.worker.identities, seen(reception))
    assert not known.lasting(COOKIES[0], FIRST + DAY - 1)
    assert [known.lasting(COOKIES[0], FIRST + DAY) for _ in range(int(BURST) + 2)] == [True] * int(BURST) + [False] * 2
    assert known.lasting(COOKIES[1], FIRST + DAY), "each has its own"
    assert known.lasting(COOKIES[0], FIRST + DAY + 1 / RATE)


@pytest.mark.parametrize("cookie", [b"", b"not one of ours", b"C" * 22])
async def test_what_is_no_cookie_of_ours_or_a_new_one_has_none(reception: Reception, cookie: bytes) -> None:
    known = ReturningClients(reception.worker.identities, seen(reception))
    assert not known.lasting(cookie, FIRST + DAY)
    assert not known.returns(cookie, HERE, FIRST)


async def test_who_dropped_out_comes_back_by_cookie_or_else_by_address(reception: Reception) -> None:
    engine = reception.worker.engine
    known = ReturningClients(reception.worker.identities, engine)
    for conn, identity in ((1, reception.worker.identities.of(COOKIES[0])), (2, 0)):
        session = engine.opened(conn, 100 + conn, identity, HERE, 0.0)
        assert not known.returns(COOKIES[0] if identity else None, HERE, 0.0)
        engine.lost(session, conn, 1, 0.0)
        assert known.returns(COOKIES[0] if identity else None, HERE, 1.0)
    assert not known.returns(COOKIES[1], HERE, 1.0)
    assert not known.returns(None, "192.0.2.2", 1.0)
    assert not known.returns(COOKIES[0], HERE, 60.0)


async def test_it_is_asked_where_addresses_are_judged(reception: Reception) -> None:
    assert type(reception.addresses.known) is ReturningClients
