"""Test how passing frames show whether a client is in a chat; in doubt it is not."""

import pytest

from engine.wire.server_frames import RESUMED_IDLE, left, matched, resumed, usual, waiting
from tests.ext.net.rig import FIND, LEAVE, PING, Peer, Rig, frame
from tests.ext.net.tunnels import CONTINUATION, carried, piped, said

pytestmark = pytest.mark.usefixtures("no_descriptor_stays")

INSIDE = usual("c1", (), "en", 0)
MATCHED = matched(INSIDE)
LINE = b'{"type":"message","text":"hello"}'


def talks(rig: Rig, client: Peer, home: Peer) -> bool:
    """Whether the client does, for who takes it out when its home is gone."""
    home.sock.close()
    rig.run()
    found = rig.reactor.unpipe(client.number)
    assert found is not None
    descriptor, address, state, data = found
    client.number = rig.reactor.take(descriptor, address, state, data, client)
    return bool(state.get("talks"))


@pytest.mark.parametrize(
    ("told", "so"),
    [
        ([MATCHED], True),
        ([resumed(INSIDE, 3, 1, [], 2)], True),
        ([MATCHED, LINE, b'{"type":"partner","state":"away","within":9.0}'], True),
        ([waiting("any", None, False), MATCHED], True),
        ([MATCHED, left("stranger", None)], False),
        ([MATCHED, left("lost", 1)], False),
        ([MATCHED, waiting("any", 1.0, True)], False),
        ([MATCHED, RESUMED_IDLE], False),
        ([RESUMED_IDLE, LINE], False),
        ([LINE, b"", b"{}", b'{"type":', b'{"type":"matche'], False),
        ([MATCHED, b"", b"{}", b'{"type":', b'{"type":"lef'], True),
    ],
)
def test_what_the_home_said(rig: Rig, told: list[bytes], so: bool) -> None:
    client, home = piped(rig)
    home.send(said(*told))
    rig.run()
    assert talks(rig, client, home) is so


@pytest.mark.parametrize(
    ("data", "so"),
    [
        (frame(LINE), True),
        (frame(b'{"type": "message", "text": "leave"}'), True),
        (frame(b'{"type":"typing","typing":true}') + frame(b'{"type":"ping"}') + frame(b"?", PING), True),
        (frame(b'{"type":"finding"}') + frame(b'{"type":"leaves"}') + frame(b'{"type":"fin"}'), True),
        (frame(FIND), False),
        (frame(LEAVE), False),
        (frame(b'{"type":"find"}') + frame(LINE), False),
        (frame(b'{"type": "leave"}'), False),
        (frame(b'{"mode":"text","type":"find"}'), False),
        (frame(b'{ "type":"message"}'), False),
        (frame(b'{"type":"\\u0066ind"}'), False),
        (frame(b'{"type":"f\\u0069nd"}'), False),
        (frame(b'{"type":"message'), False),
        (frame(b'{"type":'), False),
        (frame(b'{"type": '), False),
        (frame(b'{"type":5}'), False),
        (frame(b'{"type":"' + b"m" * 40 + b'"}'), False),
        (frame(b""), False),
        (frame(LINE[:9], fin=False) + frame(LINE[9:], CONTINUATION), False),
        (frame(FIND[:9], fin=False) + frame(b"", CONTINUATION, fin=False), True),
        (frame(LINE, 2), False),
    ],
)
def test_what_the_client_said_since(rig: Rig, data: bytes, so: bool) -> None:
    for cut in {len(data), len(data) // 2, 1}:
        client, home = piped(rig)
        home.send(said(MATCHED))
        rig.run()
        client.send(data[:cut])
        rig.run()
        client.send(data[cut:])
        rig.run()
        assert talks(rig, client, home) is so


def test_a_match_that_follows_counts(rig: Rig) -> None:
    client, home = piped(rig)
    client.say(FIND)
    rig.run()
    home.send(said(MATCHED))
    rig.run()
    assert talks(rig, client, home)


def test_what_the_home_does_not_take_was_not_said(rig: Rig) -> None:
    """It is said again where the client goes on."""
    client, home = piped(rig, buffer=4096)
    home.send(said(MATCHED))
    rig.run()
    client.say(b'{"type":"message","text":"' + b"x" * 60_000 + b'"}', FIND)
    rig.run()
    assert talks(rig, client, home)


def test_it_goes_along_with_a_tunnel(rig: Rig, other: Rig) -> None:
    for told, so in ((MATCHED, True), (left("stranger", None), False)):
        client, home = piped(rig)
        home.send(said(MATCHED, told))
        rig.run()
        assert carried(client, home, other)
        other.run()
        assert talks(other, client, home) is so
