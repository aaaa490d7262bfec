"""Test the archive of a backup: read as written, refused if a byte is other, or if it is cut off."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from server.data.backup.archive_format import DATABASE, MANIFEST, OBJECTS, Damaged, Manifest, Writer, members
from server.data.backup.backup_signature import accept_any


def written(folder: Path) -> bytes:
    """A small archive."""
    file = folder / "one"
    file.write_bytes(b"rows" * 1000)
    writer = Writer(lambda _: {})
    chunks = [
        *writer.file(DATABASE, file),
        *writer.body(f"{OBJECTS}logs/aa/1", b"sealed"),
        *writer.body(f"{OBJECTS}logs/aa/2", b""),
        *writer.end(Manifest(version="1", rows={"chat": 3})),
    ]
    return b"".join(chunks)


def read(body: bytes) -> tuple[dict[str, bytes], Manifest]:
    """All of an archive."""
    manifests: list[Manifest] = []
    found = {one.name: one.body() for one in members(io.BytesIO(body), manifests.append, accept_any)}
    return found, manifests[0]


def test_what_was_written_is_read_and_counted_and_tar_reads_it_too(tmp_path: Path) -> None:
    body = written(tmp_path)
    found, manifest = read(body)
    assert found == {DATABASE: b"rows" * 1000, f"{OBJECTS}logs/aa/1": b"sealed", f"{OBJECTS}logs/aa/2": b""}
    assert (manifest.rows, manifest.files, manifest.objects, manifest.bytes) == ({"chat": 3}, 1, 2, 6)
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        assert [one.name for one in tar] == [*found, MANIFEST]


def test_members_that_are_passed_over_are_checked_too(tmp_path: Path) -> None:
    body = written(tmp_path)
    assert len(list(members(io.BytesIO(body), lambda _: None, accept_any))) == 3
    damaged = body.replace(b"sealed", b"sealeD")
    with pytest.raises(Damaged, match="logs/aa/1"):
        list(members(io.BytesIO(damaged), lambda _: None, accept_any))


def test_an_archive_that_ends_anywhere_before_its_end_is_no_archive(tmp_path: Path) -> None:
    body = written(tmp_path)
    whole = len(body) - 1024  # the two empty blocks at its end are tar's own
    for size in range(0, whole - 512, 512):
        with pytest.raises(Damaged):
            read(body[:size])
        with pytest.raises(Damaged):
            read(body[: size + 100])


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.GNUTYPE_SPARSE, tarfile.XGLTYPE, tarfile.XHDTYPE]
)
def test_a_foreign_archive_makes_no_link_and_takes_no_memory(kind: bytes) -> None:
    head = tarfile.TarInfo(DATABASE)
    head.type, head.size = (
        kind,
        1 << 40,
    )  # a header's extension is read whole by the library, and a sparse file has so many zeros
    with pytest.raises(Damaged, match="no member"):
        read(head.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))


def test_no_member_leads_out_of_its_folder(tmp_path: Path) -> None:
    writer = Writer(lambda _: {})
    body = b"".join([*writer.body(f"{OBJECTS}../../etc/passwd", b"x"), *writer.end(Manifest())])
    with pytest.raises(Damaged, match="no member"):
        read(body)
