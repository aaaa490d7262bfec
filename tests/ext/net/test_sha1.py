"""SHA-1 of the handshake: the library's, for each size up to three blocks, and the vectors of FIPS 180-4 and RFC 6455."""

import random
from hashlib import sha1

import pytest

from ext.net.probe import sha1_of

VECTORS = {
    b"": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    b"abc": "a9993e364706816aba3e25717850c26c9cd0d89d",
    b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
    b"dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11": "b37a4f2cc0624f1690f64606cf385945b2bec4ea",
}


@pytest.mark.parametrize("text", VECTORS, ids=repr)
def test_the_vectors_of_the_standards(text: bytes) -> None:
    assert sha1_of(text).hex() == VECTORS[text]


@pytest.mark.parametrize("size", range(200))
def test_each_size_is_hashed_as_by_the_library(size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert sha1_of(data) == sha1(data, usedforsecurity=False).digest()
