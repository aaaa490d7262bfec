"""Test the classifier: its features and scores are those of a plain computation, whatever a text holds."""

import math
import random
import subprocess
from pathlib import Path

import pytest

from ext.text.hashed_classifier import HashedClassifier
from tests.c.build import ROOT, compiled

TEXT_MAX, BUCKETS = 180, 1024
ROWS = [(0.5, 0.25, 0.0), (-1.0, 0.5, 1e9), (0.0, 1.0, -1e9)]

COPIES = f"""
#define _DEFAULT_SOURCE
#include "{ROOT / "ext" / "text" / "gram_features.h"}"

int main(void) {{
    uint32_t codes[300], plain[900], wide[900], state = 1;
    for (int round = 0; round < 2000; round++) {{
        size_t size = 4 + (size_t)round % 200, count = size - 4, mask = 0xFFFF;
        for (size_t at = 0; at < size; at++) codes[at] = (state = state * 1664525u + 1013904223u) >> 11;
        hash_whole(codes, count, mask, plain);
        if (IS_WIDE) hash_wide(codes, count, mask, wide);
        for (size_t at = 0; at < 3 * count; at++) {{
            uint32_t key = 2166136261u;
            for (size_t i = at % count, end = i + 3 + at / count; i < end; i++) key = (key ^ codes[i]) * 16777619u;
            key = (key ^ key >> 15) & mask;
            if (plain[at] != key || (IS_WIDE && wide[at] != key)) return 1;
        }}
    }}
    return 0;
}}
"""


def made(seed: int = 1) -> tuple[HashedClassifier, bytes]:
    weights = random.Random(seed).randbytes(BUCKETS * len(ROWS))
    return HashedClassifier(weights, ROWS, TEXT_MAX), weights


def fnv(key: int, code: int) -> int:
    return ((key ^ code) * 16777619) & 0xFFFFFFFF


def plain_features(text: str) -> list[int]:
    """Return the buckets of a text, computed as the module says."""
    codes: list[int] = []
    last = again = 0
    for char in text[:TEXT_MAX]:
        code = 48 if char in "0123456789" else ord(char)
        again = again + 1 if code == last else 0
        if again < 2:
            codes.append(code)
        last = code
    codes = [2, *codes, 3]
    keys = []
    for begin in range(len(codes)):
        key = 2166136261
        for size, code in enumerate(codes[begin : begin + 5], 1):
            key = fnv(key, code)
            if size >= (2 if codes[begin] >= 0x2E80 else 3):
                keys.append(key ^ key >> 15)
    words: list[int] = []
    word = 0
    for code in (*codes[1:-1], 32):
        if code > 32:
            word = fnv(word or 84696351, code)
        elif word:
            words.append(word)
            keys.append(word ^ word >> 13)
            if len(words) > 1:
                pair = ((words[-2] * 31 ^ word) * 16777619) & 0xFFFFFFFF
                keys.append(pair ^ pair >> 15)
                if len(words) > 2:
                    row = ((words[-3] * 961 ^ pair) * 16777619) & 0xFFFFFFFF
                    keys.append(row ^ row >> 15)
            word = 0
    return [key % BUCKETS for key in keys]


@pytest.mark.parametrize("seed", range(5))
def test_features_and_scores_are_those_of_a_plain_computation(seed: int) -> None:
    classifier, weights = made()
    dice = random.Random(seed)
    for _ in range(200):
        text = "".join(dice.choices("ab  c12é我好\U0001f600\x00z", k=dice.randint(0, 250)))
        features = plain_features(text)
        assert sorted(classifier.features(text)) == sorted(features)
        for place, (score, (bias, scale, _)) in enumerate(zip(classifier.scores(text), ROWS, strict=True)):
            signed = [weight - 256 if (weight := weights[3 * bucket + place]) > 127 else weight for bucket in features]
            assert score == pytest.approx(bias + scale * sum(signed) / math.sqrt(len(features) or 1))


def test_both_copies_of_the_hashes_are_those_of_a_plain_computation(tmp_path: Path) -> None:
    """Python calls the one that fits its processor."""
    source = tmp_path / "copies.c"
    source.write_text(COPIES)
    subprocess.run([compiled([source], tmp_path / "copies")], check=True, timeout=60)


def test_a_class_is_found_from_its_least_score_on() -> None:
    classifier, _ = made()
    for text in ("hello", "", "x" * 10_000):
        scores = classifier.scores(text)
        assert classifier.find(text) == [
            (place, score) for place, score in enumerate(scores) if score >= ROWS[place][2]
        ]


def test_what_is_no_model_is_refused() -> None:
    for weights, rows in (
        (b"", ROWS),
        (bytes(9), ROWS),
        (bytes(7), ROWS),
        (bytes(8), []),
        (bytes(4096), [(0.0, 0.0, 0.0)] * 65),
    ):
        with pytest.raises(ValueError, match=r"classes|weights"):
            HashedClassifier(weights, rows, TEXT_MAX)
    with pytest.raises(ValueError, match="characters"):
        HashedClassifier(bytes(8), [(0.0, 0.0, 0.0)], 10_000)
