"""Test a ZIP that is sent while it is made."""

import io
import zipfile

import pytest

from server.trust.data_export.zip_stream import Archive


def made(*files: tuple[str, bytes]) -> list[bytes]:
    archive = Archive()
    return [*[archive.add(name, body) for name, body in files], archive.end()]


def test_every_file_leaves_when_it_was_added_and_comes_back_whole() -> None:
    pieces = made(("a.txt", b"one"), ("b/c.txt", b"two" * 10_000))
    assert all(pieces)
    assert len(pieces[1]) < 1_000
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert [(name, archive.read(name)) for name in archive.namelist()] == [("a.txt", b"one"), ("b/c.txt", b"two" * 10_000)]  # fmt: skip


def test_the_same_files_are_the_same_bytes() -> None:
    assert made(("a", b"one"), ("b", b"two")) == made(("a", b"one"), ("b", b"two"))


def test_without_its_end_it_is_no_archive() -> None:
    pieces = made(("a", b"one"), ("b", b"two"))
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(pieces[:-1])))


def test_a_name_is_there_once() -> None:
    archive = Archive()
    archive.add("a", b"one")
    with pytest.raises(ValueError):
        archive.add("a", b"two")
