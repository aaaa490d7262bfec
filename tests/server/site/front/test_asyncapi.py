"""The WebSocket is described as it is: each example is taken by a real server, and each frame of the server fits its schema."""

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import jsonschema_rs
import pytest

from engine.wire import client_requests, protocol
from server.site.front.api_documents import FOLDER
from server.site.front.asyncapi import CLIENT, SERVER, payload
from tests.server.site.web.servers import Server
from tests.support.wire import Wire

# What a request is made of under another name, or not by a field of its own.
RENAMED = {"video": "mode", "body": "description"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"))
    yield server
    server.stop()


class Checked(Wire):
    """A connection whose frames are held to the document."""

    seen: set[str]

    def read(self) -> dict[str, Any]:
        frame = super().read()
        kind = frame["type"]
        assert kind in SERVER, kind
        jsonschema_rs.validate(payload(kind, SERVER[kind][1]) | {"additionalProperties": False}, frame)
        self.seen = getattr(self, "seen", set()) | {kind}
        return frame

    def show(self, kind: str, **other: Any) -> None:
        """Send the example of a type."""
        frame = {"type": kind, **CLIENT[kind][2], **other}
        jsonschema_rs.validate(payload(kind, CLIENT[kind][1]) | {"additionalProperties": False}, frame)
        self.send(frame)


@pytest.fixture
def wire(server: Server) -> Iterator[Callable[[], Checked]]:
    """Makes connections, and closes them in the end."""
    made: list[Checked] = []

    def connect() -> Checked:
        made.append(Checked(server.port))
        return made[-1]

    yield connect
    for each in made:
        each.sock.close()


def test_each_request_of_the_engine_and_each_of_its_fields_is_described() -> None:
    known = {
        name.lower(): {RENAMED.get(field.name, field.name) for field in fields(kind)}
        for name, kind in inspect.getmembers(client_requests, inspect.isclass)
        if kind in client_requests.Request.__args__
    }
    told = {kind: {name.rstrip("!") for name in CLIENT[kind][1]} for kind in CLIENT}
    assert {kind: names - told[kind] for kind, names in known.items() if names - told[kind]} == {}
    assert set(known) == set(CLIENT)


def test_bounds_are_the_protocols() -> None:
    assert CLIENT["message"][1]["text!"]["maxLength"] == protocol.TEXT_MAX
    assert SERVER["error"][1]["code!"]["enum"] == list(protocol.FAULTS)


PICTURES = {"pictures", "upload", "picture"}


def moved_on(alone: Checked, two: Checked) -> Checked:
    """Wait, meet, and move on with the way back."""
    alone.show("find", interests=["nobody else"])
    alone.until("waiting")
    two.show("find", interests=["nobody else"])
    alone.until("matched")
    alone.show("find", keep=True)
    alone.until("kept")
    return alone


def refused_pictures(one: Checked) -> None:
    """Ask for pictures, which cannot be checked here."""
    for frame in ("pictures", "picture"):
        one.show(frame)
        assert one.until("error")["code"] == "pictures"


def test_every_example_is_taken_and_every_answer_fits(wire: Callable[[], Checked]) -> None:
    one, two = wire(), wire()
    token = one.hello["token"]
    for each in (one, two):
        each.show("find", mode="video")
    for each in (one, two):
        each.until("matched")
    one.show("message")
    one.until("sent")
    two.until("message")
    two.show("react")
    one.until("react")
    one.show("message", text="add me on snap")
    assert two.until("tip")["kind"] == "contact"
    one.show("typing")
    two.until("typing")
    one.show("signal")
    two.until("signal")
    one.show("ping")
    one.until("pong")
    one.show("here")
    one.until("here")
    one.show("again")
    assert one.until("error")["code"] == "no_pair", "neither has a cookie"
    one.show("report")
    one.until("reported")
    one.show("block")
    one.until("blocked")
    one.show("seen")
    unknown = one.until("error")
    assert (unknown["code"], unknown["of"]) == ("bad_field", "seen"), "nobody is warned here"
    one.show("nosnap")  # no answer: nobody was asked
    refused_pictures(one)
    one.show("save")
    one.until("saved")
    one.show("solution")
    refused = one.until("error")
    assert (refused["code"], refused["of"]) == ("challenge", "solution"), "none is open"
    one.sock.close()
    two.until("partner")
    back = wire()
    back.show("resume", token=token)
    back.until("resumed")
    back.show("leave")
    two.until("left")
    alone = moved_on(wire(), two)
    seen = one.seen | two.seen | back.seen | alone.seen
    assert set(SERVER) - seen == {
        "challenge",
        "solved",
        "notice",
        "snap",
        "veil",
        "pair",
        "called",
        "service",
        *PICTURES,
    }, (
        "nobody is asked; sent by an operator (tests/server/trust/moderation, test_live_sessions.py); tests/engine/chats/test_sent_pictures.py"
    )


TOLD_ANEW = {"session", "token", "online", "statement", "chat"}  # of each session


def played(wire: Callable[[], Checked]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The session of docs/protocol.md, played again: each line with the frame that it shows and the one that came."""
    told = (FOLDER / "protocol.md").read_text().split("## A session, frame by frame")[1].split("```")[1]
    wires: dict[str, Checked] = {}
    ours: dict[str, str] = {}  # what stands in the text, and what it is now
    for line in told.strip().splitlines():
        who, _, rest = line.partition(" ")
        if rest == "opens":
            wires[who] = wire()
        elif rest == "loses its connection":
            wires[who].sock.close()
        elif rest.startswith("→"):
            frame = json.loads(rest[2:])
            wires[who].send(
                {name: ours.get(value, value) if name in TOLD_ANEW else value for name, value in frame.items()}
            )
        else:
            frame = json.loads(rest[2:])
            came = wires[who].hello if frame["type"] == "hello" else wires[who].read()
            ours |= {frame[name]: came[name] for name in ("token", "chat") if name in frame}
            yield line, frame, came


def test_the_session_of_the_document_is_a_real_one(wire: Callable[[], Checked]) -> None:
    lines = list(played(wire))
    assert len(lines) > 15
    for line, shown, came in lines:
        assert list(shown) == list(came), line
        assert {n: v for n, v in shown.items() if n not in TOLD_ANEW} == {
            n: v for n, v in came.items() if n not in TOLD_ANEW
        }, line


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("message", "text", "x" * (protocol.TEXT_MAX + 1)),
        ("message", "text", ""),
        ("message", "id", "x" * (protocol.ID_MAX + 1)),
        ("find", "mode", "audio"),
        ("find", "language", "english!"),
        ("find", "interests", ["x"] * (protocol.INTERESTS_MAX + 1)),
        ("find", "strict", None),
        ("find", "avoid", ["x"] * (protocol.AVOID_MAX + 1)),
        ("find", "pairs", ["x"] * (protocol.PAIRS_MAX + 1)),
        ("find", "call", -1),
        ("here", "pairs", ["x" * (protocol.PAIR_TOKEN_MAX + 1)]),
        ("find", "avoid", ["x" * (protocol.AVOID_TOKEN_MAX + 1)]),
        ("seen", "id", "x" * (protocol.NOTICE_ID_MAX + 1)),
        ("nosnap", "nonce", "x" * (protocol.SNAP_NONCE + 1)),
        ("nosnap", "why", "shy"),
        ("find", "snaps", 1),
        ("report", "reason", "boredom"),
        ("report", "who", 3),
        ("resume", "last", -1),
        ("signal", "media", {}),
    ],
)
def test_what_the_document_refuses_the_server_refuses_too(
    wire: Callable[[], Checked], kind: str, field: str, value: Any
) -> None:
    frame = {"type": kind, **CLIENT[kind][2], field: value}
    assert not jsonschema_rs.is_valid(payload(kind, CLIENT[kind][1]), frame)
    one = wire()
    one.send(frame)
    assert one.until("error")["of"] == kind


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ({"question": "why"}, True),  # nobody asks it: passed over, whatever it is
        ({"question": "why", "role": "discuss"}, True),
        ({"question": "why", "role": "spy"}, False),
        ({"role": "spy"}, False),
        ({"question": "Is it so or not?", "role": "spy"}, True),
    ],
)
def test_a_question_is_held_to_its_bounds_if_a_spy_asks_it(
    wire: Callable[[], Checked], more: dict[str, str], fits: bool
) -> None:
    frame = {"type": "find", "interests": ["nobody else"], **more}
    assert jsonschema_rs.is_valid(payload("find", CLIENT["find"][1]), frame) is fits
    one = wire()
    one.send(frame, {"type": "ping"})
    assert (one.read()["type"] == "error") is not fits
