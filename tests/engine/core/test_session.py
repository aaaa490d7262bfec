"""A session: one person's."""

import sys

import pytest

from engine.core.session import Session
from engine.core.states import END, FIND, IDLE, MATCH, WAITING
from engine.wire.engine_errors import IllegalMove


def test_a_person_is_the_identity_else_the_alias_else_the_session() -> None:
    assert Session(7, 1, 0, "192.0.2.1").person == 7
    assert Session(7, 1, 0, "192.0.2.1", alias=8).person == 8
    assert Session(7, 1, 9, "192.0.2.1", alias=8).person == 9


def test_a_refused_move_changes_nothing() -> None:
    session = Session(7, 1, 0, "192.0.2.1")
    with pytest.raises(IllegalMove, match="match while idle"):
        session.move(MATCH)
    assert session.state == IDLE
    session.move(FIND)
    assert session.state == WAITING
    session.move(END)
    with pytest.raises(IllegalMove, match="end while gone"):
        session.move(END)


def test_a_move_by_nothing_is_refused() -> None:
    session = Session(7, 1, 0, "192.0.2.1")
    with pytest.raises((TypeError, AttributeError)):  # compiled, interpreted
        session.move(None)  # type: ignore[arg-type]
    assert session.state == IDLE


def test_a_session_is_small() -> None:
    session = Session(7, 1, 0, "192.0.2.1")
    assert not hasattr(session, "__dict__")
    assert sys.getsizeof(session) <= 264  # as it is interpreted: 24 slots; compiled it is smaller
