"""Test pictures that the two of a chat send each other: wishes, keys, results, bounds, resuming and migrating."""

from itertools import count
from typing import Any

import pytest

from engine.chats.sent_pictures import KEYS_MOST
from engine.conduct.detection_consequences import KNOWN, NUDITY, Act
from engine.core.chat import Chat
from engine.wire.protocol import ALLOW_BURST, SENT_BURST, SENT_MOST
from engine.wire.rule_constants import CHECKED, OFF, ON, PAUSE, Settings
from server.trust.evidence.reported_chat import of_seat
from tests.engine.moving import MovingWorld
from tests.engine.world import Wire, bare, error

YES = {"type": "pictures", "allow": True}
NO = {"type": "pictures", "allow": False}
POSSIBLE = {"type": "error", "code": "pictures"}


class Sending(MovingWorld):
    """Two who show pictures. `keys`: those made, with chat and side; `over`: chats whose pictures ended; `withdrawn`: keys; `checked`: pictures can
    be checked.
    """

    def __init__(self, *, checked: bool = True, keeps: bool = False, **settings: Any) -> None:
        self.keys: list[tuple[str, int, str]] = []
        self.over: list[str] = []
        self.withdrawn: list[str] = []
        self._numbers = count(1)
        super().__init__(
            Settings(**{"sends": CHECKED, **settings}),
            keeps=keeps,
            make_upload_key=self._key,
            end_pictures=self.over.append,
            withdraw_picture=self.withdrawn.append,
            unix_time=lambda: 77,
        )
        self.engine.change_pictures(0.0, checked)

    def _key(self, chat: str, side: int) -> str:
        key = f"{next(self._numbers):022d}"
        self.keys.append((chat, side, key))
        return key

    def agree(self, **find: Any) -> tuple[Wire, Wire]:
        """Two who both allow pictures."""
        a, b = self.pair(**{"pictures": True, **find})
        self.send(a, **YES)
        self.send(b, **YES)
        a.take(), b.take()
        return a, b

    def ask(self, wire: Wire, id: str = "p1") -> str:
        """Ask for a key, and get it."""
        frame = self.send(wire, type="picture", id=id)[-1]
        assert (frame["type"], frame["id"]) == ("upload", id)
        wire.take()
        return str(frame["key"])

    def judge(self, key: str, result: str) -> None:
        """Tell the result of a picture."""
        self.engine.pictured(key, result, self.now)
        self.settle()

    def acts(self) -> list[Act]:
        """Return what moderators are shown."""
        return [item[2] for item in self.kept if isinstance(item[2], Act)]


def chat_of(wire: Wire) -> Chat:
    assert wire.session.seat is not None
    return wire.session.seat.chat


def test_a_picture_is_sent_once_both_allow_it_and_both_are_told_after_its_check() -> None:
    world = Sending()
    a, b = world.pair(pictures=True)
    assert b'"pictures":true' in a.session.seat.inside  # type: ignore[union-attr]
    assert bare(world.send(a, type="picture", id="p0")) == [{**POSSIBLE, "of": "picture", "id": "p0"}]
    assert world.send(a, **YES) == [], "a wish has no answer"
    assert b.take() == [YES]
    assert bare(world.send(b, type="picture", id="p0")) == [{**POSSIBLE, "of": "picture", "id": "p0"}], (
        "one yes is none"
    )
    world.send(a, **YES)
    assert b.take() == [], "the same once more is nothing new"
    world.send(b, **YES)
    assert a.take() == [YES]
    key = world.ask(a)
    assert world.keys == [(chat_of(a).id, a.session.seat.side, key)]  # type: ignore[union-attr]
    assert b.take() == [], "nothing is told before the check"
    world.say(a, "a line")
    b.take()
    world.judge(key, "clean")
    assert b.take() == [{"type": "picture", "key": key, "seq": 1}]
    assert a.take() == [{"type": "picture", "key": key, "seq": 1, "own": True, "id": "p1"}]
    world.judge(key, "clean")
    assert (a.take(), b.take()) == ([], []), "a key has one result"


def test_a_decline_is_not_told_and_a_yes_can_be_taken_back() -> None:
    world = Sending()
    a, b = world.pair(pictures=True)
    world.send(a, **YES)
    b.take()
    world.send(b, **NO)
    assert a.take() == [], "who asked does not learn of a no"
    world.send(b, **YES)
    assert a.take() == [YES]
    key = world.ask(a)
    world.send(b, **NO)
    assert a.take() == [NO]
    world.judge(key, "clean")
    assert bare(a.take()) == [{**POSSIBLE, "of": "picture", "id": "p1"}], "one that was under way is not shown"
    assert b.take() == []
    assert world.withdrawn == [key], "and its key opens nothing"


@pytest.mark.parametrize(
    ("settings", "find"),
    [({"sends": OFF}, {"pictures": True}), ({}, {}), ({}, {"pictures": False})],
    ids=["the operator wants none", "the clients do not say that they show them", "they say that they do not"],
)
def test_pictures_are_not_possible(settings: dict[str, Any], find: dict[str, Any]) -> None:
    world = Sending(**settings)
    a, b = world.pair(**find)
    assert b'"pictures"' not in a.session.seat.inside  # type: ignore[union-attr]
    assert bare(world.send(a, **YES)) == [{**POSSIBLE, "of": "pictures"}]
    assert b.take() == []


def test_without_a_check_none_are_sent_unless_the_operator_allows_unchecked_ones() -> None:
    world = Sending(checked=False)
    a, _ = world.pair(pictures=True)
    assert bare(world.send(a, **YES)) == [{**POSSIBLE, "of": "pictures"}]
    world.engine.change_pictures(0.0, True)
    a, b = world.agree()
    world.judge(world.ask(a), "unchecked")
    assert bare(a.take()) == [{**POSSIBLE, "of": "picture", "id": "p1"}]
    assert b.take() == []
    open_world = Sending(checked=False, sends=ON)
    a, b = open_world.agree()
    open_world.judge(open_world.ask(a), "unchecked")
    assert b.take()[0]["veil"] == "unchecked"


def test_a_watcher_and_a_user_without_a_chat_can_send_none() -> None:
    world = Sending()
    a = world.open()
    a.take()
    assert bare(world.send(a, **YES)) == [error("no_chat", of="pictures")]
    assert bare(world.send(a, type="picture", id="1")) == [error("no_chat", of="picture", id="1")]
    spy, one, two = world.open(), world.open(), world.open()
    world.send(spy, type="find", role="spy", question="What is a good question?", pictures=True)
    for wire in (one, two):
        world.send(wire, type="find", role="discuss", pictures=True)
    assert bare(world.send(spy, **YES))[-1] == error("bad_type", of="pictures")
    assert bare(world.send(one, **YES))[-1] == {**POSSIBLE, "of": "pictures"}, "a third one would see them"


@pytest.mark.parametrize("frame", [{}, {"id": 1}, {"id": ""}, {"id": "x" * 65}])
def test_a_picture_without_an_id_is_refused(frame: dict[str, Any]) -> None:
    world = Sending()
    a, _ = world.agree()
    assert bare(world.send(a, type="picture", **frame)) == [error("bad_field", of="picture", field="id")]
    assert bare(world.send(a, type="pictures")) == [error("bad_field", of="pictures", field="allow")]


def test_an_unsafe_picture_is_veiled_counted_and_after_two_there_are_no_more() -> None:
    world = Sending(keeps=True, veil=PAUSE)
    a, b = world.agree()
    for number in range(2):
        world.judge(world.ask(a, f"p{number}"), "hit")
        assert b.take()[0]["veil"] == NUDITY
        world.wait(20)
    assert [act.found for act in world.acts()] == [NUDITY], "moderators are told once"
    assert bare(world.send(a, type="picture", id="p9"))[-1] == {**POSSIBLE, "of": "picture", "id": "p9"}
    assert world.engine.pauses.left(a.session.person, world.now) > 0
    world.ask(b)


def test_a_picture_of_which_the_program_saw_too_little_needs_a_second_press() -> None:
    world = Sending()
    a, b = world.agree()
    world.judge(world.ask(a), "undecided")
    assert b.take()[0]["veil"] == "unchecked"


def test_a_listed_picture_goes_to_moderators_although_its_sender_left_before_the_result() -> None:
    world = Sending(keeps=True)
    a, b = world.agree()
    key, chat = world.ask(a), chat_of(a).id
    world.send(a, type="leave")
    assert world.over == [chat], "although no picture was shown"
    b.take()
    world.judge(key, "known")
    assert [act.found for act in world.acts()] == [KNOWN]
    (reported,) = [of_seat(seat, act, "text") for _, seat, act in world.kept if isinstance(act, Act)]
    assert reported.chat == chat, "so the case gets the picture"
    assert b.take() == []


def test_the_same_picture_asked_for_again_gets_another_key_and_is_shown_once() -> None:
    world = Sending()
    a, b = world.agree()
    first, second = world.ask(a, "p1"), world.ask(a, "p1")
    world.judge(first, "clean")
    assert (a.take(), b.take()) == ([], [])
    assert world.withdrawn == [first]
    world.judge(second, "clean")
    assert [frame["key"] for frame in b.take()] == [second]


def test_uploads_that_are_never_shown_are_limited_too() -> None:
    world = Sending(keeps=True)
    a, _ = world.agree()
    for number in range(KEYS_MOST):
        world.judge(world.ask(a, f"p{number}"), "refused")
        world.wait(20)
        a.take()
    assert bare(world.send(a, type="picture", id="p99")) == [{**POSSIBLE, "of": "picture", "id": "p99"}]


def test_a_listed_picture_is_not_shown_and_goes_to_moderators() -> None:
    world = Sending(keeps=True)
    a, b = world.agree()
    world.judge(world.ask(a), "known")
    assert bare(a.take()) == [error("no_picture", of="picture", id="p1")]
    assert b.take() == []
    assert [act.found for act in world.acts()] == [KNOWN]


def test_one_at_a_time_few_at_once_and_a_bounded_number_in_a_chat() -> None:
    world = Sending()
    a, b = world.agree()
    key = world.ask(a)
    (refused,) = world.send(a, type="picture", id="p2")
    assert (refused["code"], refused["retry_after"]) == ("too_fast", 1.0)
    world.judge(key, "clean")
    for number in range(SENT_BURST - 1):
        world.judge(world.ask(a, f"q{number}"), "clean")
    a.take()
    assert world.send(a, type="picture", id="q9")[-1]["code"] == "too_fast"
    for number in range(SENT_MOST - SENT_BURST):
        world.wait(20)
        a.take()
        world.judge(world.ask(a, f"r{number}"), "clean")
    world.wait(60)
    a.take()
    assert bare(world.send(a, type="picture", id="r99")) == [{**POSSIBLE, "of": "picture", "id": "r99"}]
    assert len(b.take()) == SENT_MOST


def test_wishes_are_limited() -> None:
    world = Sending()
    a, _ = world.pair(pictures=True)
    codes = []
    for _ in range(ALLOW_BURST + 2):
        codes += [frame.get("code") for frame in world.send(a, **YES)]
        world.send(a, **NO)
    assert codes == ["too_fast", "too_fast"]


def test_who_comes_back_gets_what_is_allowed_and_sent() -> None:
    world = Sending()
    a, b = world.agree()
    world.judge(world.ask(a), "clean")
    key = world.ask(a, "p2")
    world.lose(b)
    world.judge(key, "hit")
    (resumed,) = [frame for frame in world.resume(b).take() if frame["type"] == "resumed"]
    first = world.keys[0][2]
    assert resumed["album"] == {
        "own": True, "theirs": True, "sent": [{"key": first, "seq": 0}, {"key": key, "seq": 0, "veil": NUDITY}],
    }  # fmt: skip


def test_pictures_move_with_their_chat_and_one_under_way_is_lost() -> None:
    world = Sending()
    a, b = world.agree()
    world.judge(world.ask(a), "clean")
    key = world.ask(a, "p2")
    before = chat_of(a).attached.album.sent  # type: ignore[union-attr]
    world.move()
    world.engine.change_pictures(0.0, True)
    assert chat_of(a).attached.album.sent == before  # type: ignore[union-attr]
    a.take(), b.take()
    world.judge(key, "clean")
    assert (a.take(), b.take()) == ([], [])
    world.ask(a, "p3")


def test_the_end_of_a_chat_ends_its_pictures_and_a_late_result_is_ignored() -> None:
    world = Sending()
    a, b = world.agree()
    world.judge(world.ask(a), "clean")
    key, chat = world.ask(a, "p2"), chat_of(a).id
    world.send(b, type="leave")
    assert world.over == [chat]
    a.take(), b.take()
    world.judge(key, "clean")
    assert (a.take(), b.take()) == ([], [])
