"""Hold the format of the labelled lines by which detection is measured."""

import re
import unicodedata
from pathlib import Path

import pytest

LINES = Path(__file__).parents[3] / "bench/detection/lines"
CLASSES = {"age", "grooming", "threat", "selfharm", "hate", "advert", "data"}
PAGE_LANGUAGES = {path.stem for path in Path(__file__).parents[3].glob("server/**/locale/*.po")} | {"en"}
OTHER_CHAT_LANGUAGES = {"da", "hi", "id", "it", "ko", "nl", "pl", "sv", "tr", "uk", "zh"}
WITHOUT_PUBLIC_HATE_SET = {"ja", "nb", "ru"}
NAMES = sorted(path.name for path in LINES.glob("seen/*.tsv"))
LONGEST_LINE = 200


def read_rows(half: str, name: str) -> list[tuple[str, str]]:
    """Return the (label, line) pairs of a file."""
    text = (LINES / half / name).read_text(encoding="utf-8")
    assert text.endswith("\n")
    rows = [row.split("\t") for row in text.removesuffix("\n").split("\n")]
    assert all(len(row) == 2 for row in rows)
    return [(row[0], row[1]) for row in rows]


def folded(line: str) -> str:
    """Return what two wordings of one line have in common: no case, no spaces, no punctuation."""
    return re.sub(r"\W+", "", unicodedata.normalize("NFKC", line).casefold()) or line


def test_both_halves_have_the_same_files():
    assert sorted(path.name for path in LINES.glob("seen/*")) == NAMES
    assert sorted(path.name for path in LINES.glob("held/*")) == NAMES


def test_each_class_has_each_language_of_the_page():
    wanted = {f"{kind}.{language}.tsv" for kind in CLASSES - {"hate"} for language in PAGE_LANGUAGES}
    wanted |= {f"age.{language}.tsv" for language in OTHER_CHAT_LANGUAGES}
    wanted |= {f"hate.{language}.tsv" for language in WITHOUT_PUBLIC_HATE_SET}
    assert set(NAMES) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_a_half_has_a_hundred_rows_and_half_of_them_tempt(name: str):
    for half in ("seen", "held"):
        rows = read_rows(half, name)
        labels = [label for label, _ in rows]
        assert set(labels) == {"0", "1"}
        assert min(labels.count("0"), labels.count("1")) >= 50
        assert all(line == line.strip() and 0 < len(line) <= LONGEST_LINE and line.isprintable() for _, line in rows)


@pytest.mark.parametrize("name", NAMES)
def test_no_line_stands_twice_in_a_file_or_in_both_halves(name: str):
    lines = [folded(line) for half in ("seen", "held") for _, line in read_rows(half, name)]
    assert len(set(lines)) == len(lines)
