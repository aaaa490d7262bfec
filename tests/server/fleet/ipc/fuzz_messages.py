"""Fuzz the decoder of messages between processes of a host: a message as it was sent, or the link is down. Also a target of `make fuzz`."""

from collections.abc import Hashable

from server.fleet.ipc.ipc_link import HEAD, WIRE, Kind, Link, Message, _Damaged, body_of

WORDS = (
    b"[[]]", b"[[],", b"]", b"[[1,2],", b"[[0]", b'"x"', b"null", b"-1", b"1e9", b"18446744073709551616", b"true", b"{}", b"\x01\x04\0\0", b"\x80",
    HEAD.pack(WIRE, Kind.ROWS, 1, 1, 6), b"\0\0\0\0", b"[" * 64,
)  # fmt: skip


class Decoder(Link):
    """A link without a socket, which decodes one message."""

    def __init__(self) -> None:
        self._buffer = bytearray(8192)
        self._seen = 0

    def decoded(self, data: bytes) -> Message:
        """Return the message in the data. Raises _Damaged."""
        self._buffer[: len(data)] = data
        self._seen = 0
        return self._message(len(data), [])


DECODER = Decoder()


def encoded(kind: int, records: list[object], pieces: list[bytes]) -> bytes:
    """Return a message as `Link.send` writes it."""
    size, body = body_of(records, pieces)
    return HEAD.pack(WIRE, kind, len(records), 1, size) + body


def seeds() -> list[bytes]:
    """Return messages with records and bytes."""
    return [
        encoded(Kind.ROWS, [["leave", 5], ["ticket", 7, 1]], []),
        encoded(Kind.PEOPLE, [{"v": 1, "people": []}], [b"one", b"", b"three"]),
        encoded(Kind.MEET, [{"v": 1, "people": [{"id": 5}]}, [0, -1], 1.5, [[5, ["meet", 1, []]]]], [b"one"]),
        encoded(Kind.READ, [], []),
        encoded(Kind.ROWS | 0x80, [], []),
    ]


def enter(data: bytes) -> Hashable:
    """Decode one message."""
    try:
        found = DECODER.decoded(data)
    except _Damaged as damaged:
        return str(damaged)[:16]
    return found.kind, len(found.records), len(found.pieces)


def fuzz(data: bytes) -> Hashable:
    """Check that what was decoded is decoded again from what it is encoded as."""
    said = enter(data)
    if isinstance(said, str):
        return said
    found = DECODER.decoded(data)
    again = DECODER.decoded(encoded(found.kind, found.records, found.pieces))
    assert again == found._replace(number=1)
    return said
