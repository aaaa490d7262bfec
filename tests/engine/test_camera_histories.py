"""Random histories of video chats: whatever is posted, seen, said or withheld, whoever goes, comes back or moves, some things always hold.

What people are told of one camera they are told once; a veil is taken away only where one is on, and nobody without a client that answers is
asked; of a person whose video is off no video begins. When everybody left and time went by, nothing is left.
"""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.conduct.detection_consequences import Act
from engine.core.states import GONE
from engine.wire.protocol import LEFT, NO_SNAP, PROGRAM
from engine.wire.rule_constants import SIGHT_FOR
from tests.engine.looking import ANSWER, Looking
from tests.engine.world import Wire
from tests.support.groups import examples

PEOPLE = 4
WHAT = ("theirs", "mine", "clean", "unsure", "hit", "undecided", "agrees", "differs", "open", "known")
GIVEN = st.sampled_from(
    [
        (), ("theirs",), ("mine",), ("theirs", "mine", "clean", "agrees"), ("theirs", "mine", "clean"), ("theirs", "hit", "mine"),
        ("theirs", "mine", "agrees", "hit"), ("theirs", "mine", "hit", "differs"), ("theirs", "unsure", "differs", "known"),
    ]
)  # fmt: skip
LOOK = st.tuples(st.just("look"), st.lists(GIVEN, min_size=PEOPLE, max_size=PEOPLE))
DEEDS = st.one_of(
    LOOK,
    LOOK,
    LOOK,
    st.tuples(st.just("find"), st.integers(0, PEOPLE - 1), st.booleans()),
    st.tuples(st.just("answer"), st.integers(0, PEOPLE - 1)),
    st.tuples(st.just("pictured"), st.integers(0, 20), st.lists(st.sampled_from(WHAT), min_size=1, max_size=4)),
    st.tuples(st.just("nosnap"), st.integers(0, PEOPLE - 1), st.integers(0, 20), st.sampled_from(NO_SNAP)),
    st.tuples(st.just("wait"), st.sampled_from((0.0, 0.1, 2.0, 5.0, 9.0, 30.0))),
    st.tuples(st.sampled_from(("leave", "report", "drop", "back", "go")), st.integers(0, PEOPLE - 1)),
    st.tuples(st.just("move")),
)


class Story:
    """People, by place; the last one is a program of another wire, the one before has a client that knows nothing of pictures."""

    def __init__(self, draws: list[float]) -> None:
        self.world = Looking(snaps_required=False, veil="pause")
        self.world.draws = draws
        self.wires = [self._open(place) for place in range(PEOPLE)]
        self.told: Counter[Any] = Counter()

    def _open(self, place: int) -> Wire:
        wire = self.world.open(100 + place)
        if place == PEOPLE - 1:
            wire.session.way = PROGRAM
        return wire

    def _here(self, place: int) -> Wire | None:
        wire = self.wires[place]
        return wire if wire.closed is None else None

    def do(self, deed: tuple[Any, ...]) -> None:
        """One thing, where it can be done."""
        kind, rest, world = deed[0], deed[1:], self.world
        wire = self._here(rest[0]) if kind in ("find", "answer", "nosnap", "leave", "report", "drop", "go") else None
        if kind == "look":
            self._look(rest[0])
        elif kind == "wait":
            world.wait(rest[0])
        elif kind == "pictured":
            nonces = [frame["nonce"] for one in world.every for frame in one.log if frame["type"] == "snap"]
            world.says(nonces[-1 - rest[0]] if rest[0] < len(nonces) else "foreign", *rest[1])
        elif kind == "move":
            self.count()
            world.move()
        elif kind == "back":
            self._back(rest[0])
        elif wire is None:
            return
        elif kind == "find":
            off = world.engine._core.pauses.left(wire.session.person, world.now)
            answers = rest[0] < PEOPLE - 2
            answer = world.send(wire, type="find", mode="video" if rest[1] else "text", snaps=answers)[-1]
            assert (answer.get("code") == "snaps") == (rest[1] and off > 0)
        elif kind == "answer":
            world.send(wire, type="signal", description=ANSWER)
        elif kind == "nosnap":
            nonces = [frame["nonce"] for frame in wire.log if frame["type"] == "snap"]
            nonce = nonces[-1 - rest[1]] if rest[1] < len(nonces) else "foreign"
            assert not [frame for frame in world.send(wire, type="nosnap", nonce=nonce, why=rest[2]) if "of" in frame]
        elif kind in ("drop", "go"):
            world.lose(wire, LEFT) if kind == "go" else world.lose(wire)
        else:
            world.send(wire, **({"type": kind} if kind == "leave" else {"type": kind, "reason": "nudity"}))

    def _look(self, given: list[tuple[str, ...]]) -> None:
        """Time goes by until the next look, and each person has their way of answering it."""
        for wire in self.wires:
            wire.take()
        due = self.world.engine._snaps.due()
        self.world.wait(0.0 if due is None else max(0.0, due - self.world.now))
        for wire, gives in zip(self.wires, given, strict=True):
            for frame in wire.take():
                if frame["type"] == "snap":
                    self.world.says(frame["nonce"], *gives)

    def _back(self, place: int) -> None:
        wire = self.wires[place]
        if wire.closed is not None:
            gone = wire.session.state == GONE or wire.session.id not in self.world.engine.sessions
            self.wires[place] = self._open(place) if gone else self.world.resume(wire, identity=100 + place)

    def count(self) -> None:
        """What people were told of since the last time; the world lets go of it."""
        for _, seat, what in self.world.kept:
            if isinstance(what, Act):
                assert seat.side == what.side
                self.told[seat.chat.id, what.side, what.found] += 1
        self.world.kept.clear()

    def holds(self) -> None:
        """What holds at the end."""
        self.count()
        assert max(self.told.values(), default=1) == 1
        for wire in self.world.every:
            on, kinds = False, [frame["type"] for frame in wire.log]
            for frame in wire.log:
                if frame["type"] in ("matched", "left"):
                    on = False
                elif frame["type"] == "veil" and frame["why"] == "nudity":
                    assert frame["on"] or on, "taken away where none was"
                    on = frame["on"]
            if "snap" in kinds:
                assert wire.session.identity < 100 + PEOPLE - 2, "asked, and could not answer"

    def end(self) -> None:
        """Everybody leaves, and time goes by."""
        for wire in self.wires:
            if wire.closed is None:
                self.world.lose(wire, LEFT)
        self.world.wait(SIGHT_FOR + 100.0)
        looks = self.world.engine._snaps
        assert (len(looks), looks._open, len(looks._asked), len(looks._heap), looks.due()) == (0, {}, 0, 0, None)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(DEEDS, min_size=15, max_size=60), st.lists(st.floats(0, 1, exclude_max=True), max_size=10))
def test_whatever_happens(deeds: list[tuple[Any, ...]], draws: list[float]) -> None:
    story = Story(draws)
    for place in range(PEOPLE):
        story.do(("find", place, True))
        story.do(("answer", place))
    for deed in deeds:
        story.do(deed)
    story.holds()
    story.end()
