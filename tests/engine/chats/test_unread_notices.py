"""What must be read before the next search, as both who reads it and who ignores it sees it."""

from typing import Any

import orjson
import pytest

from engine.wire import server_frames
from tests.engine.world import Wire, World


class Given:
    """Notices of the server: per person, in their order; `owner` is the identity, or the session where there is none."""

    def __init__(self, **unread: list[str]) -> None:
        self.unread: dict[int, list[str]] = {int(who[1:]): ids for who, ids in unread.items()}
        self.read: list[tuple[int, str]] = []

    def unseen(self, identity: int, session: int) -> tuple[str, bytes] | None:
        ids = self.unread.get(identity or session)
        return (
            (ids[0], server_frames.notice(ids[0], "warning", "R4", "No hate.", "2026-11-26", "person", "/a"))
            if ids
            else None
        )

    def seen(self, identity: int, session: int, id: str) -> bool:
        owner = identity or session
        if id in self.unread.get(owner, []):
            self.unread[owner].remove(id)
            self.read.append((owner, id))
            return True
        return (owner, id) in self.read


def world_of(given: Given, **more: Any) -> World:
    return World(oldest_notice=given.unseen, acknowledge_notice=given.seen, **more)


def kinds(got: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in got]


def refusal(got: list[dict[str, Any]]) -> tuple[str, str]:
    (error,) = got
    return error["code"], error["of"]


def test_a_notice_follows_hello_and_holds_the_search_until_it_was_read() -> None:
    given = Given(p7=["n1"])
    world = world_of(given)
    a = world.open(identity=7)
    hello, notice = a.take()
    assert hello["type"] == "hello"
    assert notice == {
        "type": "notice", "id": "n1", "kind": "warning", "rule": "R4", "reason": "No hate.", "day": "2026-11-26",
        "by": "person", "appeal": "/a",
    }  # fmt: skip
    assert refusal(world.send(a, type="find")) == ("notice", "find")
    assert world.send(a, type="seen", id="n1") == []
    assert kinds(world.send(a, type="find")) == ["waiting"]


def test_the_next_one_is_told_after_the_first_was_read_and_saying_so_twice_is_no_fault() -> None:
    world = world_of(Given(p7=["n1", "n2"]))
    a = world.open(identity=7)
    assert [frame.get("id") for frame in a.take()] == [None, "n1"]
    assert [frame["id"] for frame in world.send(a, type="seen", id="n1")] == ["n2"]
    assert world.send(a, type="seen", id="n1") == []
    assert world.send(a, type="seen", id="n2") == []
    assert kinds(world.send(a, type="find")) == ["waiting"]


@pytest.mark.parametrize("id", ["", "n3", "n1 ", "\u00e9"], ids=["empty", "unknown", "longer", "not ASCII"])
def test_an_unknown_id_is_a_bad_field_and_holds_on(id: str) -> None:
    world = world_of(Given(p7=["n1"], p8=["n3"]))
    a = world.open(identity=7)
    a.take()
    assert refusal(world.send(a, type="seen", id=id)) == ("bad_field", "seen")
    assert refusal(world.send(a, type="find")) == ("notice", "find")


def test_nobody_elses_notice_can_be_read() -> None:
    given = Given(p7=["n1"])
    world = world_of(given)
    assert refusal(world.send(world.open(identity=8), type="seen", id="n1")[1:]) == ("bad_field", "seen")
    assert given.unread[7] == ["n1"]


def test_who_is_here_is_told_at_once_and_once_and_the_chat_goes_on() -> None:
    given = Given(p7=[])
    world = world_of(given)
    a, b = chatting(world)
    given.unread[7] = ["n1"]
    for _ in range(2):
        world.engine.notify(a.session)
        world.settle()
    assert kinds(a.take()) == ["notice"]
    world.say(a, "hello")
    assert kinds(b.take()) == ["message"]
    assert refusal(world.send(a, type="find")) == ("notice", "find")
    assert b.take() == [], "a search that is refused ends nothing"


def test_across_resume_it_is_told_once_more_and_what_was_read_stays_read() -> None:
    given = Given(p7=["n1"])
    world = world_of(given)
    a = world.open(identity=7)
    world.send(a, type="ping")
    world.lose(a)
    back = world.resume(a, identity=7)
    assert kinds(back.take()) == ["resumed"], "hello and the notice came before it"
    assert world.send(back, type="seen", id="n1") == []
    world.lose(back)
    again = world.resume(back, identity=7)
    assert kinds(world.send(again, type="find")) == ["resumed", "waiting"]


def test_somebody_without_a_cookie_has_it_in_their_session_and_across_its_resume() -> None:
    given = Given()
    world = world_of(given)
    a, _ = chatting(world, identity=0)
    given.unread[a.session.id] = ["n1"]
    world.engine.notify(a.session)
    world.settle()
    assert kinds(a.take()) == ["notice"]
    world.lose(a)
    back = world.resume(a)
    assert kinds(back.take()) == ["resumed", "notice"]
    assert world.send(world.open(), type="find")[1]["type"] == "waiting", "another session of theirs has none"
    assert world.send(back, type="seen", id="n1") == []


def test_a_client_that_ignores_it_still_chats_where_nothing_is_asked_of_it() -> None:
    given = Given(p7=[])
    world = world_of(given)
    a, b = chatting(world)
    given.unread[7] = ["n1"]
    world.engine.notify(a.session)
    world.settle()
    world.say(b, "one")
    world.say(a, "two")
    assert kinds(a.take()) == ["notice", "message"]
    assert orjson.dumps(world.send(a, type="leave")) == b"[]"
    assert kinds(b.take()) == ["message", "left"]


def chatting(world: World, identity: int = 7) -> tuple[Wire, Wire]:
    """Two in a chat, of whom the first is `identity`."""
    a, b = world.open(identity), world.open()
    for wire in (a, b):
        world.send(wire, type="find")
        wire.take()
    a.take()
    return a, b
