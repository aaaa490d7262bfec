"""Fuzz what hosts tell all others over the bus: beats, and rows of the broadcast. Also a target of `make fuzz`."""

from collections.abc import Hashable

import orjson

from server.fleet.cluster.membership import MOST, ROOM, Beat, Membership, Post, Share, read
from server.fleet.frontend.cluster_broadcast import AGE, CHANGED, DETECTED, MINOR, PAUSED, WEIGHED, ClusterBroadcast
from server.fleet.roaming.session_return_frames import last, read_last

WORDS = (
    b'{"node":"0123456789","address":"10.0.0.1:9467","version":"1",', b'"people":5,"time":1.0,"ends":false,', b'"share":[1,"",[],[0,0],[0.0,0.0]]',
    b'"records":[1,1]', b'"ends":true', b'{"node":"0123456789","rows":[', b'["age",7,"adult",30]', b'["weighed",0,1,2]', b'["minor",7]',
    b'["paused",7,1.5]', b'["detected",7,"sale",1,2.0]', b'["changed"]', b"null", b"true", b"-1", b"1e308", b"9223372036854775808", b"[]", b"{}",
    b"[" * 40, b'L{"past":', b'"chats":', b'"saves":',
)  # fmt: skip
HERE, THERE = "fedcba9876", "0123456789"
BEAT = Beat(THERE, "10.0.0.1:9467", "1.0", 5, 1_800_000_000.5, False, Share())
ROWS = [
    [AGE, 7, "adult", 30], [WEIGHED, 0, 1, 2], [MINOR, 7], [PAUSED, 7, 1.5], [DETECTED, 7, "sale", 1, 2.0], [CHANGED], ["later", 1],
]  # fmt: skip
POSTS = Share(ROOM, THERE, (Post(1, 2, False, False), Post(2, 0, True, False)), (1, 2), (0.5, 1.0))


def seeds() -> list[bytes]:
    """Return beats, broadcasts and a last frame."""
    beats = [BEAT, BEAT._replace(ends=True), BEAT._replace(node=HERE), BEAT._replace(share=POSTS)]
    return [
        *(orjson.dumps(beat.said()) for beat in beats),
        orjson.dumps({"node": THERE, "rows": ROWS}),
        *(orjson.dumps({"node": THERE, "rows": [row]}) for row in ROWS),
        last({"past": None, "chats": [], "saves": []}),
    ]


def enter(data: bytes) -> Hashable:
    """Read the input as each of them. A row that passes is one that the frontend gets."""
    passed: list[object] = []
    broadcast = ClusterBroadcast(HERE, lambda _, __: None, lambda *rows: passed.extend(rows), lambda: None)
    broadcast._heard(data)
    assert len({row[0] for row in passed} - {AGE, WEIGHED, MINOR, PAUSED, DETECTED, CHANGED}) == 0  # type: ignore[index]
    said = read_last(data)
    try:
        beat = read(orjson.loads(data))
    except ValueError:
        beat = None
    return len(passed) > 0, said is None, None if beat is None else _heard(beat)


def _heard(beat: Beat) -> Hashable:
    """Let a host hear a beat."""
    members = Membership(HERE)
    for ahead in range(2):
        members.heard(beat, 10.0 + ahead, 1_800_000_000.0)
    assert len(members.nodes) <= MOST
    assert members.people >= 0
    assert members.apart <= len(members.nodes)
    assert len(members.owners) <= len(members.nodes)
    assert all(host.address == beat.address for host in members.others(11.0))
    return len(members.open(11.0)) > 0, len(members.advance(100.0)), members.owner() == HERE


def fuzz(data: bytes) -> Hashable:
    """Check further that a beat is read as it is written."""
    found = enter(data)
    try:
        beat = read(orjson.loads(data))
    except ValueError:
        return found
    assert beat is None or read(orjson.loads(orjson.dumps(beat.said()))) == beat
    return found
