"""Drive the real server with this tree's compiled modules through real sockets until it stops.

**Invariant:** made for the sanitizers (`make asan`), under which a fault ends the process; so the server must write nothing but its log and
exit with 0. A release build is held to the same.
"""

import json
import random
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ext.net.rig import CLOSE, FIND, LEAVE, PING, frame, head
from tests.server.site.web.servers import ROOT, Server
from tests.support.users import reads_proc
from tests.support.wire import WAIT, Wire, meet

QUESTION = "Is a hot dog a sandwich?"
WORDS = ("chess", "sailing", "tea", "jazz", "Straße", "ｊａｚｚ", "раусом", "🧁", "knitting", "go")
LIMITS_OFF = {"SERENDIP_LIMITS__ENABLED": "false", "SERENDIP_SESSION__GRACE": "2", "SERENDIP_SERVER__DRAIN": "1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all that is done here. At its end: what a sanitizer would have said, and the status that it would have set."""
    made = Server(tmp_path_factory.mktemp("served"), **LIMITS_OFF)
    yield made
    status = made.stop()
    assert (status, made.strange) == (0, [])


@pytest.fixture(autouse=True)
def still_there(server: Server) -> Iterator[None]:
    """After each test two others meet and talk."""
    yield
    one, two = meet(server.port, "bystanders")
    with one, two:
        one.send({"type": "message", "text": "fine?"})
        assert two.until("message")["text"] == "fine?"
        one.send({"type": "leave"})
        assert two.until("left")["by"] == "stranger"


@reads_proc
def test_it_runs_the_modules_of_this_tree(server: Server) -> None:
    loaded = {line.split()[-1] for line in Path(f"/proc/{server.pid}/maps").read_text().splitlines() if ".so" in line}
    ours = {Path(name) for name in loaded if f"{ROOT}/ext/" in name}
    assert {path.name.partition(".")[0] for path in ours} >= {
        "reactor",
        "socket_input",
        "chat_ring",
        "relay",
        "matcher",
        "interner",
    }


def test_pairs_talk_in_every_spelling_save_report_and_part(server: Server) -> None:
    one, two = meet(server.port, "Sourdough", "sailing")
    with one, two:
        for number in range(1, 300):
            said = {"type": "message", "text": f"{number} “ü” 😀" * (number % 40 + 1), "id": f'"{number}\\'}
            one.send(said if number % 3 else frame(json.dumps(said)))
            assert two.until("message")["text"] == said["text"]
            assert one.until("sent")["seq"] == number
            two.send({"type": "typing", "typing": bool(number % 2)})
            assert one.until("typing")["typing"] == bool(number % 2)
        one.send({"type": "save"})
        assert one.until("saved")["url"].startswith("/log/")
        one.send({"type": "report", "reason": "spam", "note": "adverts"})
        assert one.until("reported")
        two.send({"type": "find", "interests": ["elsewhere"]})
        assert one.until("left")["by"] == "stranger"


def test_a_spy_watches_two_and_all_part(server: Server) -> None:
    with Wire(server.port) as spy, Wire(server.port) as one, Wire(server.port) as two:
        spy.send({"type": "find", "role": "spy", "question": QUESTION})
        one.send({"type": "find", "role": "discuss"})
        two.send({"type": "find", "role": "discuss"})
        assert {wire.until("matched")["question"] for wire in (spy, one, two)} == {QUESTION}
        one.send({"type": "message", "text": "yes"}, {"type": "typing", "typing": True})
        assert two.until("message")["text"] == spy.until("message")["text"] == "yes"
        spy.send({"type": "message", "text": "may I?"})
        assert spy.until("error")["code"] == "bad_type"
        two.send({"type": "leave"})
        assert one.until("left")["by"] == "stranger"
        assert spy.until("left")["from"] in {1, 2}


@pytest.mark.parametrize("seed", range(6))
def test_who_is_cut_off_comes_back_and_misses_nothing(server: Server, seed: int) -> None:
    dice = random.Random(seed)
    one, two = meet(server.port, f"cut {seed}")
    with two:
        seen = 0
        for number in range(1, 40):
            two.send({"type": "message", "text": "x" * dice.randrange(1, 900)})
            if dice.random() < 0.5:
                seen = one.until("message")["seq"]
            if dice.random() < 0.3:
                token = one.hello["token"]
                one.sock.sendall(frame(b'{"type":"message","text":"half')[: dice.randrange(1, 20)])
                one.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                one.sock.close()
                one = Wire(server.port)
                one.send({"type": "resume", "token": token, "last": seen})
                one.until("resumed")
            while seen < number:
                seen += 1
                assert one.until("message")["seq"] == seen
        one.send({"type": "leave"})
        assert two.until("left")["by"] == "stranger"
    one.sock.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_crowd_comes_looks_talks_and_goes(server: Server, seed: int) -> None:
    """Every way through the lobby and the matcher: interests, languages, modes, leaving while waiting, cuts, finds in a chat."""
    dice = random.Random(seed)
    wires = [Wire(server.port) for _ in range(40)]
    for _ in range(1500):
        at = dice.randrange(len(wires))
        try:
            match dice.randrange(12):
                case 0:
                    wires[at].sock.close()
                    wires[at] = Wire(server.port)
                case 1:
                    wires[at].send({"type": "leave"})
                case 2 | 3 | 4:
                    wires[at].send({"type": "message", "text": "hello"}, {"type": "typing", "typing": True})
                case 5:
                    wires[at].send({"type": "signal", "candidate": None}, {"type": "save"}, {"type": "ping"})
                case _:
                    wires[at].send(wish(dice))
        except OSError:  # it was closed for what it sent
            wires[at].sock.close()
            wires[at] = Wire(server.port)
    for wire in wires:
        wire.send({"type": "leave"}, {"type": "ping"})
        wire.until("pong")
        wire.sock.close()


def wish(dice: random.Random) -> dict[str, Any]:
    """A `find` of any kind."""
    role = dice.choice(("stranger", "stranger", "stranger", "spy", "discuss"))
    found: dict[str, Any] = {"type": "find", "interests": dice.sample(WORDS, dice.randrange(5)), "role": role}
    if role == "spy":
        found |= {"question": QUESTION, "share": dice.random() < 0.5}
    if role == "stranger":
        found |= {"mode": dice.choice(("text", "text", "video")), "strict": dice.random() < 0.3}
    return found | {"language": dice.choice(("en", "de", "*", "pt-BR"))}


@pytest.mark.parametrize("seed", range(60))
def test_frames_of_every_brokenness_harm_nobody(server: Server, seed: int) -> None:
    dice = random.Random(seed)
    one, two = meet(server.port, f"broken {seed}")
    with two, one:
        try:
            for _ in range(30):
                one.sock.sendall(broken(dice))
        except OSError:
            pass  # it hung up, as it may
        two.send({"type": "ping"})
        two.until("pong")


def broken(dice: random.Random) -> bytes:
    """A few bytes of the wire: frames of any opcode, in pieces, too long, with bits where none may be."""
    payload = dice.choice(
        (FIND, LEAVE, b'{"type":"message","text":"hi","id":"1"}', b'{"type":"ping"}', b"", b"[" * 9000)
    )
    if dice.random() < 0.4:
        at = dice.randrange(len(payload) + 1)
        payload = payload[:at] + dice.randbytes(dice.randrange(4)) + payload[at + dice.randrange(2) :]
    opcode = dice.choice((1, 1, 1, 1, 0, 2, PING, CLOSE, 10, dice.randrange(16)))
    data = frame(payload, opcode, dice.random() < 0.8, dice.randbytes(4))
    if dice.random() < 0.2:
        at = dice.randrange(min(len(data), 14))
        data = data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]
    return data[: dice.randrange(len(data) + 1)] if dice.random() < 0.1 else data


@pytest.mark.parametrize("seed", range(60))
def test_heads_of_every_brokenness_are_answered_or_ended(server: Server, seed: int) -> None:
    dice = random.Random(seed)
    data = bytearray(
        head(dice.choice(("/ws", "/ws?a", "/%77s", "/", "/api/status", "/log/x")), origin="null", x="y" * 300)
    )
    for _ in range(dice.randrange(6)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    with socket.create_connection(("127.0.0.1", server.port), WAIT) as sock:
        for at in range(0, len(data), step := dice.randrange(1, len(data))):
            sock.sendall(data[at : at + step])
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(65536)[:5] in {b"HTTP/", b""}


def test_who_takes_nothing_is_told_of_and_the_ring_is_given_back(server: Server) -> None:
    one, two = meet(server.port, "deaf")
    with one, two:
        codes = set()
        while "slow" not in codes:
            one.send(*[{"type": "message", "text": "x" * 1900, "id": "n"} for _ in range(10)])
            codes |= {(answer := one.read()).get("code", answer["type"]) for _ in range(10)}
        assert codes == {"sent", "slow"}


def test_omegles_face_starts_talks_polls_and_parts(server: Server) -> None:
    for number in range(20):
        started = [omegle(server, "/start", firstevents="1", lang="en", topics=f'["face {number}"]') for _ in range(2)]
        one, two = [answer["clientID"] for answer in started]
        events = omegle(server, "/events", id=one)
        assert ["connected"] in events
        assert omegle(server, "/send", id=one, msg="Grüße 😀\r\n") == "win"
        assert omegle(server, "/typing", id=one) == "win"
        assert ["gotMessage", "Grüße 😀\n"] in omegle(server, "/events", id=two)
        assert omegle(server, "/disconnect", id=two if number % 2 else one) == "win"


def omegle(server: Server, path: str, **fields: str) -> Any:
    """A request of that face: its answer, decoded where it is JSON."""
    body = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(server.url + path[1:], data=body, timeout=60) as answer:  # noqa: S310 -- our own
        text = answer.read().decode()
    return text if text in {"win", "fail"} else json.loads(text)
