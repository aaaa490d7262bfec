"""Check that a wrong file of lines is named, and that no line is in both halves."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from bench.detection.labelled_lines import (
    HALVES,
    HELD,
    SEEN,
    BadSet,
    Line,
    PublicFile,
    own_sets,
    pinned_files,
    public_sets,
    template_of,
)
from bench.detection.public_files import sets_folder


def own(folder: Path, name: str, text: str) -> Path:
    (folder / SEEN).mkdir(exist_ok=True)
    (folder / SEEN / name).write_text(text, "utf-8")
    return folder


def public(folder: Path, body: str, **about: Any) -> PublicFile:
    folder.joinpath("set.csv").write_text(body, "utf-8")
    rows = {"name": "some", "class": "hate", "text": "text", "label": "label", "positive": "bad", **about}
    return PublicFile(rows, "en", "set.csv", "", hashlib.sha256(body.encode()).hexdigest())


def test_a_file_of_lines_is_read_by_its_name(tmp_path: Path) -> None:
    (one,) = own_sets(own(tmp_path, "age.de.tsv", "1\tbin 14\n0\tmein hund ist 14\n"))
    assert one[:4] == ("own", "age", "de", SEEN)
    assert one.lines == [Line("bin 14", True), Line("mein hund ist 14", False)]


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("age.en.tsv", "1\ta\n2\tb\n", "age.en.tsv:2"),
        ("age.en.tsv", "1 a\n", "age.en.tsv:1"),
        ("age.en.tsv", "0\t \n", "age.en.tsv:1"),
        ("ages.en.tsv", "1\ta\n", "ages.en.tsv"),
        ("age.tsv", "1\ta\n", "age.tsv"),
    ],
)
def test_a_wrong_row_or_name_is_refused_by_its_place(tmp_path: Path, name: str, text: str, fault: str) -> None:
    with pytest.raises(BadSet, match=fault):
        own_sets(own(tmp_path, name, text))


def test_lines_of_one_template_are_in_one_half_and_a_repeated_line_counts_once(tmp_path: Path) -> None:
    body = "text,label,templ\n" + "".join(f"line {n} {n % 40},bad,{n % 40}\n" for n in range(200)) + "line 0 0,bad,7\n"
    sets = public_sets(public(tmp_path, body, group="templ"), tmp_path)
    templates = [{line.text.split()[-1] for line in one.lines} for one in sets]
    assert [one.half for one in sets] == list(HALVES)
    assert all(templates)
    assert not templates[0] & templates[1]
    assert sum(len(one.lines) for one in sets) == 200


def test_near_copies_of_a_line_without_a_template_are_in_one_half() -> None:
    assert template_of("WIN £100! Call 0800-1") == template_of("win £250 call 0900 77")


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    file = public(tmp_path, "text,label\nhello,bad\n")
    tmp_path.joinpath("set.csv").write_text("text,label\nhello,good\n")
    with pytest.raises(BadSet, match="not the pinned file"):
        public_sets(file, tmp_path)
    assert public_sets(file, tmp_path / "elsewhere") == []


def test_no_line_is_in_both_halves_and_both_have_lines() -> None:
    sets = own_sets() + [one for file in pinned_files() for one in public_sets(file, sets_folder())]
    by_set: dict[tuple[str, ...], dict[str, set[str]]] = {}
    for one in sets:
        by_set.setdefault(one[:3], {})[one.half] = {line.text for line in one.lines}
    for name, halves in by_set.items():
        assert halves.keys() == set(HALVES), name
        assert all(halves.values()), name
        assert not halves[SEEN] & halves[HELD], name
