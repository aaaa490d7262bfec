"""Test lists of known pictures: read, and matched within 31 bits at any size. Hashes are random."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from server.trust.pictures.pdq import BITS, BYTES
from server.trust.pictures.picture_hash_lists import NAME, NEAR, Known, read

RANDOM = Random(7)


def draw(count: int) -> list[bytes]:
    return [RANDOM.randbytes(BYTES) for _ in range(count)]


def turned(hashed: bytes, bits: int) -> bytes:
    """So many bits of it turned around."""
    number = int.from_bytes(hashed)
    for bit in RANDOM.sample(range(BITS), bits):
        number ^= 1 << bit
    return number.to_bytes(BYTES)


def known(hashes: list[bytes], few: int) -> Known:
    return Known(
        np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, BYTES), [str(at) for at in range(len(hashes))], few
    )


@pytest.mark.parametrize("few", [0, 10_000], ids=["by bands", "one by one"])
def test_what_is_near_is_found_and_nothing_else(few: int) -> None:
    hashes = draw(3000)
    found = known(hashes, few)
    for at in range(0, 3000, 60):
        for bits in (0, 1, 16, NEAR):
            assert found.tag(turned(hashes[at], bits)) == str(at)
        assert found.tag(turned(hashes[at], NEAR + 1)) == ""
    assert {found.tag(one) for one in draw(200)} == {""}


@pytest.mark.parametrize("few", [0, 10_000])
def test_bits_spread_over_all_bands_are_found(few: int) -> None:
    hashes = draw(500)
    number = int.from_bytes(hashes[99])
    for band in range(16):  # two in each but one
        for bit in (3, 9) if band else (5,):
            number ^= 1 << (16 * band + bit)
    assert known(hashes, few).tag(number.to_bytes(BYTES)) == "99"


@pytest.mark.parametrize("few", [0, 10])
def test_the_nearest_has_the_say_and_none_is_none(few: int) -> None:
    first = draw(1)[0]
    near, nearer = turned(first, 20), turned(first, 2)
    assert known([near, nearer], few).tag(first) == "1"
    assert known([], few).tag(first) == ""
    assert len(known([near, nearer], few)) == 2


def test_lists_are_read_with_their_tags(tmp_path: Path) -> None:
    one, two, three = draw(3)
    (tmp_path / "a.pdq").write_text(f"# a list\n\n{one.hex()} terror\n{two.hex().upper()}, A1 b\r\n")
    (tmp_path / "b.pdq").write_text(three.hex())
    (tmp_path / "c.txt").write_text("nothing of this")
    found, bad = read(tmp_path)
    assert [found.tag(one), found.tag(two), found.tag(three)] == ["a: terror", "a: A1 b", "b"]
    (tmp_path / f"{'ü' * 100}.pdq").write_text(f"{(four := draw(1)[0]).hex()} {'y' * 60}")
    assert read(tmp_path)[0].tag(four) == "?" * NAME + ": " + "y" * 60
    assert (len(found), bad) == (3, "")


def test_no_folder_is_no_list(tmp_path: Path) -> None:
    found, bad = read(tmp_path / "none")
    assert (len(found), bad) == (0, "")
    assert found.tag(draw(1)[0]) == ""


@pytest.mark.parametrize(
    "line", ["zz", "ab" * 31, "ab" * 33, "ab" * 32 + "x", "ab" * 32 + " " + "x" * 129, "ab" * 32 + " a\x07b", "\udcff"]
)
def test_a_wrong_line_is_named_and_costs_no_other(tmp_path: Path, line: str) -> None:
    one, two = draw(2)
    text = f"{one.hex()} first\n{line}\n{two.hex()} last\nwrong too\n"
    (tmp_path / "a.pdq").write_bytes(text.encode(errors="surrogateescape"))
    found, bad = read(tmp_path)
    assert [found.tag(one), found.tag(two)] == ["a: first", "a: last"]
    assert bad == "a.pdq:2"


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.pdq").mkdir()
    (tmp_path / "b.pdq").write_text(draw(1)[0].hex())
    found, bad = read(tmp_path)
    assert (len(found), bad) == (1, "a.pdq")


def test_there_is_a_bound_and_what_is_beyond_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.pdq").write_text("\n".join(one.hex() for one in draw(5)))
    found, bad = read(tmp_path, most=3)
    assert (len(found), bad) == (3, "a.pdq:4")
