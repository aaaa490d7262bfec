"""Test streams across moves: wherever a stream is cut, the output is the same as without a move."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.wire.protocol import FRAME
from ext.net.chat_ring import Ring, Rings
from tests.ext.net.rig import CLOSE, FIND, PING, PONG, Peer, Rig, frame, line, move, move_chat, split
from tests.support.groups import examples

CONTINUATION = 0
TYPING = b'{"type":"typing","typing":true}'
LONG = line("y" * 150)
IN_PIECES = line("in three pieces", "p")

# Whole lines, control frames, a message in pieces (the first and one between of nothing) with a ping between, an event, another event.
STREAM = b"".join(
    [
        frame(line("a", "1")),
        frame(b"?", PING),
        frame(IN_PIECES[:9], fin=False),
        frame(IN_PIECES[9:20], CONTINUATION, fin=False),
        frame(b"!", PING),
        frame(b"", CONTINUATION, fin=False),
        frame(IN_PIECES[20:], CONTINUATION),
        frame(TYPING),
        frame(FIND),
        frame(b"", fin=False),
        frame(LONG, CONTINUATION),
        frame(b"[]"),
        frame(line("z", "2")),
    ]
)
END = frame((1000).to_bytes(2), CLOSE)


class Chat:
    """Two people in a chat, who are moved from one reactor to the other and back."""

    def __init__(self, buffer: int = 0) -> None:
        self.homes = [(Rig(), Rings(1 << 20)) for _ in range(2)]
        self.at = 0
        self.one, self.two = (self.rig.dial(buffer=buffer) for _ in range(2))
        self.ring: Ring = self.homes[0][1].new()
        self.rig.reactor.link(self.one.number, self.ring, 0)
        self.rig.reactor.link(self.two.number, self.ring, 1)

    @property
    def rig(self) -> Rig:
        """Where they are now."""
        return self.homes[self.at][0]

    def move(self) -> None:
        """Both go to the other reactor, with the ring."""
        self.at = 1 - self.at
        self.ring = move_chat(self.one, self.two, self.ring, *self.homes[self.at])

    def events(self) -> list[tuple[int, object, object]]:
        """(kind, whose, data) of what was told in either reactor, in its order."""
        return [event[:1] + event[2:] for rig, _ in self.homes for event in rig.events]

    def close(self) -> None:
        """Both hang up; nothing is left in either reactor, and of neither ring."""
        del self.ring
        for rig, _ in reversed(self.homes):
            rig.close()
        assert [rings.counters()["rings"] for _, rings in self.homes] == [0, 0]


@pytest.fixture
def chat() -> Iterator[Chat]:
    """Two people who talk."""
    made = Chat()
    yield made
    made.close()


def whole(chat: Chat, data: bytes = STREAM) -> tuple[object, ...]:
    """What comes of a stream that nobody cuts."""
    chat.one.send(data)
    chat.rig.run()
    return outcome(chat)


def outcome(chat: Chat) -> tuple[object, ...]:
    """What both were sent, what was told, how the ring stands."""
    mine, theirs = chat.one.frames(), chat.two.frames()
    told = [(kind, owner is chat.one, data) for kind, owner, data in chat.events()]
    return mine, theirs, told, chat.ring.lines(), chat.ring.taken(0), chat.ring.refused(0)


@pytest.fixture(scope="module")
def expected() -> tuple[object, ...]:
    """The outcome of the stream without a move; a close of the ring and the reactors leaves nothing."""
    made = Chat()
    found = whole(made)
    made.close()
    return found


def test_the_stream_says_what_it_is_meant_to(expected: tuple[object, ...]) -> None:
    mine, theirs, told, *_ = expected
    assert [payload for opcode, payload in mine if opcode == PONG] == [b"?", b"!"]  # type: ignore[attr-defined]
    assert [payload.count(b"seq") for _, payload in theirs] == [1, 1, 0, 1, 1]  # type: ignore[attr-defined]
    assert told == [(FRAME, True, FIND), (FRAME, True, b"[]")]


@pytest.mark.parametrize("gate", ["opened", "shut"])
def test_a_move_at_any_byte_of_a_stream_changes_nothing(expected: tuple[object, ...], gate: str) -> None:
    for at in range(len(STREAM) + 1):
        chat = Chat()
        chat.one.send(STREAM[:at])
        chat.rig.run()
        chat.move()
        if gate == "opened":
            chat.rig.run()
        chat.one.send(STREAM[at:])
        chat.rig.run()
        assert outcome(chat) == expected, at
        chat.close()


def test_bytes_that_nobody_has_read_yet_are_read_there(expected: tuple[object, ...]) -> None:
    for at in range(0, len(STREAM) + 1, 5):
        chat = Chat()
        chat.one.send(STREAM[:at])
        chat.move()
        chat.one.send(STREAM[at:])
        chat.rig.run()
        assert outcome(chat) == expected, at
        chat.close()


@pytest.mark.parametrize("settled", [True, False])
def test_a_move_between_every_two_bytes_changes_nothing(
    chat: Chat, expected: tuple[object, ...], settled: bool
) -> None:
    for byte in STREAM:
        chat.one.send(bytes([byte]))
        chat.rig.run()
        chat.move()
        if settled:
            chat.rig.run()
        else:
            chat.rig.reactor.settle(chat.rig.now)
    chat.rig.run()
    mine, theirs, told, *ring = outcome(chat)
    assert (mine, theirs, sorted(told, key=str), *ring) == (*expected[:2], sorted(expected[2], key=str), *expected[3:])  # type: ignore[call-overload]


def test_a_close_frame_is_answered_wherever_it_was_cut() -> None:
    for at in range(len(END)):
        chat = Chat()
        chat.one.send(END[:at])
        chat.rig.run()
        chat.move()
        chat.one.send(END[at:])
        chat.rig.run()
        assert chat.one.frames() == [(CLOSE, (1000).to_bytes(2))]
        assert len(chat.rig.lost()) == 1
        chat.close()


def test_a_large_message_goes_on_in_the_middle(chat: Chat) -> None:
    text = b'{"type":"find","x":"%s"}' % (b"x" * 60_000)
    data = frame(text)
    for at in range(0, len(data), 7001):
        chat.one.send(data[at : at + 7001])
        chat.rig.run()
        chat.move()
    chat.rig.run()
    assert [event[2] for event in chat.events()] == [text]


@pytest.mark.parametrize("buffer", [0, 4096])
@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.sampled_from("aaabbbrRmM"), min_size=10, max_size=120), st.integers(1, 1500))
def test_numbered_streams_of_both_come_through_any_moves_whole(buffer: int, history: list[str], size: int) -> None:
    chat = Chat(buffer)
    said: dict[str, list[bytes]] = {"a": [], "b": []}
    got: dict[str, bytes] = {"a": b"", "b": b""}
    people: dict[str, Peer] = {"a": chat.one, "b": chat.two}
    for what in history:
        if what in "ab":
            text = b"%s%d" % (what.encode(), len(said[what])) + b"x" * size
            said[what].append(text)
            people[what].say(line(text.decode(), f"i{len(said[what])}"))
        elif what in "rR":
            reader = "a" if what == "r" else "b"
            got[reader] += people[reader].read()
        else:
            if what == "M":
                chat.rig.run()
            chat.move()
            chat.rig.reactor.settle(chat.rig.now)
    while True:
        chat.rig.run()
        more = {name: peer.read() for name, peer in people.items()}
        if not any(more.values()):
            break
        got = {name: got[name] + more[name] for name in got}
    refused = {side: chat.ring.refused(index) for index, side in enumerate("ab")}
    heard = {name: split(data) for name, data in got.items()}
    for mine, other in ("ab", "ba"):
        taken = [text for at, text in enumerate(said[other], 1) if at not in refused[other]]
        lines = [payload for _, payload in heard[mine] if payload.startswith(b'{"type":"message"')]
        assert [payload.split(b'"text":"')[1][:-2] for payload in lines] == taken
        answers = [payload.split(b'"id":"i')[1].split(b'"')[0] for _, payload in heard[mine] if b'"id"' in payload]
        assert answers == [b"%d" % at for at in range(1, len(said[mine]) + 1)]
    numbers = sorted(
        int(payload.split(b'"seq":')[1].split(b",")[0])
        for frames in heard.values()
        for _, payload in frames
        if payload.startswith(b'{"type":"message"')
    )
    assert numbers == list(range(1, chat.ring.last + 1))
    assert chat.ring.taken(0) + chat.ring.taken(1) == len(said["a"]) + len(said["b"])
    chat.close()


def test_who_watches_goes_along(chat: Chat) -> None:
    spy = chat.rig.dial()
    chat.rig.reactor.link(spy.number, chat.ring, 2)
    chat.one.say(line("here"))
    chat.rig.run()
    assert move(spy, chat.homes[1][0])
    chat.move()
    chat.rig.reactor.link(spy.number, chat.ring, 2)
    chat.two.say(line("there"))
    chat.rig.run()
    assert [payload for _, payload in spy.frames()] == [
        b'{"type":"message","seq":1,"text":"here","from":1}',
        b'{"type":"message","seq":2,"text":"there","from":2}',
    ]


def test_an_away_partner_misses_the_same_there(chat: Chat) -> None:
    chat.one.say(line("a"))
    chat.rig.run()
    chat.two.sock.close()
    chat.rig.run()
    chat.one.say(line("b"))
    chat.rig.run()
    rig, rings = chat.homes[1]
    state, data = chat.ring.dump()
    assert move(chat.one, rig)
    chat.ring, chat.at = rings.fill(state, data), 1
    rig.reactor.link(chat.one.number, chat.ring, 0)
    chat.one.say(line("c"))
    rig.run()
    again = rig.dial()
    assert chat.ring.missed(1, 1) == 2
    rig.reactor.link(again.number, chat.ring, 1)
    rig.reactor.replay(again.number, chat.ring, 1, 1)
    rig.run()
    assert [payload for _, payload in again.frames()] == [
        b'{"type":"message","seq":2,"text":"b"}',
        b'{"type":"message","seq":3,"text":"c"}',
    ]
