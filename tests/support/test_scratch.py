"""Test that tests write to memory if there is room, and to disk otherwise."""

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import scratch

PLENTY = {"f_bavail": scratch.ROOM, "f_frsize": 1, "f_flag": 0}


def found(monkeypatch: pytest.MonkeyPatch, free: int = 2 * scratch.ROOM, **more: int) -> Path | None:
    """What is chosen where memory is like this."""
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**PLENTY | more))
    monkeypatch.setattr(scratch, "available", lambda: free)
    monkeypatch.setattr(scratch, "MEMORY", Path(tempfile.gettempdir()))
    return scratch.folder()


def test_with_room_it_is_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch) == Path(tempfile.gettempdir())


@pytest.mark.parametrize("more", [{"f_bavail": scratch.ROOM - 1}, {"f_flag": os.ST_NOEXEC}, {"f_flag": os.ST_RDONLY}])
def test_where_it_is_small_or_starts_no_program_it_is_the_disk(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, int]
) -> None:
    assert found(monkeypatch, **more) is None


def test_where_the_machine_has_little_left_it_is_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, 2 * scratch.ROOM - 2) is None


def test_without_such_a_folder_it_is_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scratch, "MEMORY", tmp_path / "none")
    assert scratch.folder() is None


def test_what_is_available_is_what_the_kernel_says() -> None:
    assert 0 < scratch.available() < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_all_tests_write_where_it_is_said(tmp_path: Path) -> None:
    said = os.environ.get("TMPDIR", tempfile.gettempdir())
    assert tmp_path.is_relative_to(Path(said).resolve())
    assert tempfile.gettempdir() == said
