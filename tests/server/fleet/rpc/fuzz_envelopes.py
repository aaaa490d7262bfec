"""Fuzz requests between hosts and the bodies that they carry: refused, or read as written. Also a target of `make fuzz`."""

from collections.abc import Hashable

from engine.engine import SessionRecord
from server.fleet.frontend.remote_pictures import packed, unpacked
from server.fleet.roaming.move_request import Move, Unreadable, pack, unpack
from server.fleet.rpc import node_info, rpc_envelope
from server.fleet.rpc.node_info import NodeHello
from server.fleet.rpc.rpc_envelope import ANSWER, BOUNDS, HEAD, SMALL, Head, Kind, Nonces, Refused, Status
from server.fleet.rpc.rpc_seal import Seal
from server.ops.security.secret_keys import Keys, Secret
from server.trust.evidence.reported_picture import OWN, STRIP, Picture

WORDS = (
    b"SRD1", b"\x01", b"\x03", b"\xff" * 8, b"[[],", b'"0123456789"', b'"meet"', b"null", b'{"v":1,"people":[]}', b'{"cell":"', b'"secrets":[1]',
    b'"epochs":[]', b"[[1,2]", b"-1", b"1e999", b'["strip",0,1,"aGk=",""]', b"[" * 40, b'["live",0,1,"aGk=","x"]', b"true", b"\x00\x00\x00\x10",
)  # fmt: skip
HERE = "10.0.0.1:9467"
KNOWN = frozenset(Kind)
NOW = 1_795_000_000.0
SEAL = Seal(Keys(Secret(bytes(range(32)), 7)))
HEAD_OF_ALL = Head(Kind.MOVE, "0123456789", int(NOW * 1000), bytes(range(16)), 5)
MOVE = Move(
    "0123456789",
    3,
    "meet",
    2**63 + 7,
    ["meet", 1, [], []],
    0.25,
    SessionRecord({"v": 1, "people": []}, [b"one", b"", b"three"]),
)
REQUEST, OPENED, HELLO, MOVED, PICTURES, ANSWERED = range(6)


def seeds() -> list[bytes]:
    """Return one of each, behind the byte that chooses its reader."""
    sealed = rpc_envelope.request(SEAL, HERE, HEAD_OF_ALL, b"hello")
    hello = NodeHello("0123456789", "chat", "1.0", 5, [7], [1, 2], "a025").packed()
    answer = rpc_envelope.answer(SEAL, 7, HEAD_OF_ALL.nonce, Status.TAKEN, b"there")
    pictures = packed(
        [Picture(STRIP, 0, 1_795_000_000, b"hello"), Picture(OWN, 1, 1_795_000_001, b"there", "list: tag")]
    )
    bodies = {REQUEST: sealed, OPENED: b"hello", HELLO: hello, MOVED: pack(MOVE), PICTURES: pictures, ANSWERED: answer}
    return [bytes((kind,)) + body for kind, body in bodies.items()]


def enter(data: bytes) -> Hashable:
    """Read the input by the reader that its first byte chooses; what a host of the cluster sends is sealed by it first."""
    kind, body = data[0] % 6 if data else 0, data[1:]
    try:
        return kind, *READERS[kind](body)
    except (Refused, Unreadable, ValueError) as refused:
        return kind, type(refused).__name__


def _request(body: bytes) -> tuple[Hashable, ...]:
    if len(body) < HEAD.size:
        return ()
    head = rpc_envelope.read(body[: HEAD.size], KNOWN)
    assert head.length <= BOUNDS.get(head.kind, SMALL)
    assert head.packed() == body[: HEAD.size]
    rpc_envelope.in_time(head, NOW)
    nonces = Nonces(2)
    nonces.take(head.nonce, 0.0)
    return head.kind, rpc_envelope.opened(SEAL, HERE, head, body[HEAD.size :]) == b"hello"


def _opened(body: bytes) -> tuple[Hashable, ...]:
    sealed = rpc_envelope.request(SEAL, HERE, HEAD_OF_ALL, body)
    head = rpc_envelope.read(sealed[: HEAD.size], KNOWN)
    assert rpc_envelope.opened(SEAL, HERE, head, sealed[HEAD.size :]) == body
    return (len(body),)


def _hello(body: bytes) -> tuple[Hashable, ...]:
    found = node_info.read(body)
    assert node_info.read(found.packed()) == found
    assert {type(text) for text in (found.node, found.cluster, found.version, found.schema)} == {str}
    assert type(found.time) is int
    assert {type(number) for number in (*found.secrets, *found.epochs)} <= {int}
    return found.time > 0, len(found.secrets) > 0


def _move(body: bytes) -> tuple[Hashable, ...]:
    found = unpack(body)
    assert unpack(pack(found)) == found
    return len(found.people.blobs), found.meeting is None


def _pictures(body: bytes) -> tuple[Hashable, ...]:
    found = unpacked(body)
    assert unpacked(packed(found)) == found
    return (len(found),)


def _answered(body: bytes) -> tuple[Hashable, ...]:
    if len(body) < ANSWER.size:
        return ()
    status, _ = ANSWER.unpack_from(body)
    return status in set(Status), rpc_envelope.answered(SEAL, HEAD_OF_ALL.nonce, status, body[ANSWER.size :]) is None


READERS = (_request, _opened, _hello, _move, _pictures, _answered)


def fuzz(data: bytes) -> Hashable:
    """Check further that no other place opens a request, and that a sealed one is opened once by its nonce."""
    said = enter(data)
    if data and data[0] % 6 == OPENED:
        sealed = rpc_envelope.request(SEAL, HERE, HEAD_OF_ALL, data[1:])
        assert SEAL.opened(b"elsewhere", sealed[HEAD.size :]) is None
    return said
