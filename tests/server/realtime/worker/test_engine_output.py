"""What the engine wants done, on a real reactor."""

from collections.abc import Iterator

import pytest

from engine.core.session import Session
from ext.net.chat_ring import Rings
from server.realtime.worker.engine_output import Output
from tests.ext.net.rig import Rig, pair


@pytest.fixture
def rig() -> Iterator[Rig]:
    """With the limits of a connection."""
    made = Rig(limits=True)
    yield made
    made.close()


def test_a_signal_that_is_refused_is_told_to_its_sender_and_counted(rig: Rig) -> None:
    output = Output(rig.reactor)
    one, two = pair(rig, Rings(1 << 16))
    signal = b'{"type":"signal","candidate":null}'
    sent = 0
    while not output.signals_refused:
        output.signal(one.number, signal)
        sent += 1
    rig.run()
    assert two.texts() == [signal] * (sent - 1)
    [told] = one.texts()
    assert b'"code":"too_fast"' in told
    assert b'"of":"signal"' in told
    assert output.signals_refused == {"too_fast": 1}


def test_what_is_for_the_store_reaches_it_where_there_is_one(rig: Rig) -> None:
    Output(rig.reactor).keep("nobody takes this")
    kept: list[str] = []
    Output(rig.reactor, kept.append).keep("one")
    assert kept == ["one"]


def test_what_may_have_changed_of_a_visitor_is_told_and_of_nobody_else(rig: Rig) -> None:
    told: list[int] = []
    output, ring = Output(rig.reactor, on_visitor=told.append), Rings(1 << 16).new()
    visitor, other = Session(1, 0, 0, ""), Session(2, 0, 0, "")
    for session in (visitor, other):
        session.conn = rig.dial().number
    output.visits(visitor.conn, visitor)
    for session in (visitor, other):
        output.link(session.conn, ring, session.id - 1)
        output.keep((session, None, None))
        output.news(session.conn)
        output.adopt(session.conn, session)
    output.news(0)
    assert told == [visitor.conn] * 4
