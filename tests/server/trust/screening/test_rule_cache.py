"""Test the file of compiled rules: made once, mapped by each process, and never used if it is not exactly what this program would make."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from server.trust.screening import rule_cache
from server.trust.screening.rule_cache import FOLDER, content_key, kept_phrases, own_phrases, ship
from server.trust.screening.screening_rules import read_rules

NONE = Path("/nonexistent")  # a program without a file of its own


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file that a first start makes."""
    data = tmp_path_factory.mktemp("first")
    phrases, why = own_phrases(data, NONE)
    assert why == ""
    assert [one.rule for one in read_rules(None, None, phrases).find("add me on snap")] == [
        "contact",
        "groom.apps",
    ]
    (file,) = (data / FOLDER).iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    return file.read_bytes()


def kept(data: Path, body: bytes) -> Path:
    (data / FOLDER).mkdir(mode=0o700)
    path = data / FOLDER / f"rules-{content_key()}.bin"
    path.touch(mode=0o600)
    path.write_bytes(body)
    return path


def refuse(*_: object) -> None:
    raise AssertionError("compiled again")


def test_a_restart_maps_the_file_and_compiles_nothing(
    tmp_path: Path, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kept(tmp_path, body)
    monkeypatch.setattr(rule_cache, "compile_own_rules", refuse)
    phrases, why = own_phrases(tmp_path, NONE)
    assert why == ""
    assert str(path) in Path("/proc/self/maps").read_text()
    found = read_rules(None, None, phrases).find("im 14, add me on snap")
    assert [(one.rule, one.age) for one in found] == [
        ("age.claim", 14),
        ("contact", 0),
        ("groom.apps", 0),
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda path, body: path.write_bytes(body[:-1]),
        lambda path, body: path.write_bytes(body[:200] + b"\xff" + body[201:]),
        lambda path, body: path.write_bytes(b""),
        lambda path, body: path.chmod(0o640),
        lambda path, body: (path.rename(path.with_suffix(".x")), path.symlink_to(path.with_suffix(".x"))),
    ],
    ids=["cut", "changed", "empty", "others may read it", "a link"],
)
def test_a_file_that_is_not_ours_or_not_whole_is_never_used(
    tmp_path: Path, body: bytes, change: Callable[[Path, bytes], object]
) -> None:
    path = kept(tmp_path, body)
    change(path, body)
    own_phrases(tmp_path, NONE)
    assert path.read_bytes() == body
    assert not path.is_symlink()


def test_what_older_rules_made_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    old = kept(tmp_path, body)
    monkeypatch.setattr(rule_cache, "content_key", lambda: "0" * 32)
    own_phrases(tmp_path, NONE)
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [f"rules-{'0' * 32}.bin"] != [old.name]


def test_the_file_of_another_release_of_the_index_has_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its words would be looked up by another hash than that by which they were written, and none found."""
    before = content_key()
    monkeypatch.setattr(rule_cache, "word_hash", lambda _: 1)
    assert content_key() != before


def test_without_a_folder_that_can_be_written_rules_are_found_all_the_same(tmp_path: Path) -> None:
    phrases, why = own_phrases(tmp_path / "missing" / "data", NONE)
    assert "No such file" in why
    assert read_rules(None, None, phrases).find("add me on snap") != []


def test_a_compilation_that_dies_is_said_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(rule_cache, "_write", lambda *_: os._exit(9))
    phrases, why = own_phrases(tmp_path, NONE)
    assert "was not written (9)" in why
    assert phrases.phrases > 1_000
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_the_file_of_a_build_is_read_by_any_user_and_leaves_the_data_folder_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, data = tmp_path / "built", tmp_path / "data"
    built.mkdir()
    data.mkdir()
    ship(built)
    monkeypatch.setattr(rule_cache, "compile_own_rules", refuse)
    ship(built)
    assert [path.stat().st_mode & 0o777 for path in built.iterdir()] == [0o644]
    phrases, why = own_phrases(data, built)
    assert why == ""
    assert kept_phrases(data, built) is not None
    assert [one.rule for one in read_rules(None, None, phrases).find("add me on snap")] == [
        "contact",
        "groom.apps",
    ]
    assert list(data.iterdir()) == []
