"""What happens in a chat."""

import pytest

from engine.chats import own_words
from engine.matching.lobby import Lobby
from engine.session import Query, Terms
from tests.engine.world import Wire, World, bare, error

TERMS = Terms("en", "stranger", False, False, False, False, None, False)


@pytest.mark.parametrize("typed", [None, "Chess\ntea"])
def test_what_both_like_is_told_in_the_order_of_rarity_and_in_the_own_spelling(typed: str | None) -> None:
    lobby = Lobby()
    query = Query(TERMS, None)
    query.ids = lobby.intern(["Chess", "tea"])
    query.typed = typed
    tea, chess = query.ids[1], query.ids[0]
    assert own_words(query, (tea, chess), lobby) == ["tea", "Chess" if typed else "chess"]


def left_by(wire: Wire) -> list[str]:
    return [frame["by"] for frame in wire.take() if frame["type"] == "left"]


@pytest.mark.parametrize("first", [0, 1])
def test_both_leave_at_once_and_each_side_is_told_at_most_once(first: int) -> None:
    world = World()
    pair = world.pair()
    one, other = pair[first], pair[1 - first]
    world.engine.frame(one.session, b'{"type":"leave"}', world.now)
    world.engine.frame(other.session, b'{"type":"leave"}', world.now)
    world.settle()
    assert left_by(one) == left_by(other) == []


def test_a_message_without_a_chat_is_no_chat_and_names_its_id() -> None:
    world = World()
    a = world.open()
    a.take()
    assert bare(world.send(a, type="message", text="hi", id="7")) == [error("no_chat", of="message", id="7")]
