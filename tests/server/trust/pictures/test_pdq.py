"""Test PDQ: bit for bit the reference's, and near for a camera's view of a picture."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from server.trust.pictures.pdq import BITS, BYTES, hashed
from tests.server.trust.pictures.patterns import KINDS, SIZES, pattern
from tests.support import scenes

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "pdq.json").read_text())
ROWS: list[tuple[str, int, int, int, str, int]] = [tuple(row) for row in VECTORS["rows"]]


def apart(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def test_the_vectors_are_of_each_kind_and_size() -> None:
    assert "pdqhash" in VECTORS["source"]
    assert {(kind, rows, columns) for kind, rows, columns, *_ in ROWS} == {
        (kind, *size) for kind in KINDS for size in SIZES
    }
    assert len({digits for *_, digits, _ in ROWS}) > len(ROWS) * 3 // 4


@pytest.mark.parametrize(("kind", "rows", "columns", "seed", "digits", "quality"), ROWS)
def test_it_makes_what_the_reference_makes(
    kind: str, rows: int, columns: int, seed: int, digits: str, quality: int
) -> None:
    found = hashed(pattern(kind, rows, columns, seed))
    assert (found.hash.hex(), found.quality) == (digits, quality)


def test_a_picture_through_jpeg_is_near_and_another_is_far() -> None:
    made = [hashed(np.asarray(scenes.scene(number))) for number in range(scenes.SCENES)]
    for number, one in enumerate(made):
        again = hashed(np.asarray(Image.open(BytesIO(scenes.jpeg(scenes.scene(number), 40)))))
        assert apart(one.hash, again.hash) <= 31
        assert one.quality >= 50
        assert all(apart(one.hash, other.hash) > 31 for other in made if other is not one)


def test_a_plain_picture_has_no_quality() -> None:
    found = hashed(np.full((240, 320, 3), 77, np.uint8))
    assert found.quality == 0
    assert len(found.hash) == BYTES == BITS // 8


@pytest.mark.parametrize("shape", [(240, 320), (240, 320, 4), (4, 320, 3), (240, 0, 3)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError):
        hashed(np.zeros(shape, np.uint8))
