"""Compare UTF-8 validation with Python's decoder, for every sequence that matters."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from ext.reactor.debug_hooks import is_valid


def by_python(data: bytes) -> bool:
    """Python's verdict."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


EDGES = [
    0x00,
    0x7F,
    0x80,
    0x8F,
    0x90,
    0x9F,
    0xA0,
    0xBF,
    0xC0,
    0xC1,
    0xC2,
    0xDF,
    0xE0,
    0xEC,
    0xED,
    0xEE,
    0xEF,
    0xF0,
    0xF1,
    0xF3,
    0xF4,
    0xF5,
    0xFF,
]


def test_every_sequence_of_edge_bytes_has_pythons_verdict() -> None:
    for size in (1, 2, 3, 4):
        for parts in (
            itertools.product(EDGES, repeat=size)
            if size < 4
            else itertools.product(EDGES[8:], EDGES, EDGES[2:8], EDGES[2:8])
        ):
            data = bytes(parts)
            assert is_valid(data) == by_python(data), data


@given(st.binary(max_size=64) | st.text(max_size=64).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_have_pythons_verdict(data: bytes) -> None:
    assert is_valid(data) == by_python(data)
    assert is_valid(b"a" * 9 + data) == by_python(data)
