"""Test that a place of backups has whole archives or none, in a folder and in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.data.backup.backup_place import PART, NoBackup, find, name_at, open_place, time_of
from server.data.errors import ObjectsAway
from server.data.objects.object_store import LARGEST
from server.ops.config.backup_settings import Backup
from tests.support import services

pytestmark = pytest.mark.blocking
NOW = 1_795_000_000


@pytest.fixture(params=["folder", "bucket"])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> Backup:
    """A place of each kind, empty."""
    if request.param == "folder":
        return Backup(url=str(tmp_path / "backups"))
    bucket: services.S3 = request.getfixturevalue("bucket")
    values = {"access_key": bucket.access_key, "secret_key": bucket.secret_key, "endpoint": bucket.endpoint}
    return Backup.model_validate({"url": f"s3://{bucket.bucket}/{tmp_path.name}", **values})


def test_an_archive_is_read_as_written_and_found_by_its_time(options: Backup) -> None:
    place = open_place(options)
    pieces = [bytes([number]) * (PART // 3) for number in range(7)]  # more than two parts
    for at in (NOW, NOW - 86_400):
        place.write(name_at(at), iter(pieces))
    place.put("ledger/upkeep/index", b"small")
    assert [one.at for one in place.stored()] == [NOW - 86_400, NOW]
    with place.open(find(place, "")) as file:  # in pieces, as a restore reads: a read of all asks for 8 KB at a time
        read = [*iter(lambda: file.read(PART), b"")]
    assert b"".join(read) == b"".join(pieces)
    assert place.names("ledger") == {"ledger/upkeep/index"}
    assert place.get("ledger/upkeep/index") == b"small"
    assert place.get("ledger/upkeep/none") is None
    for _ in range(2):
        place.delete(name_at(NOW))
    assert [one.at for one in place.stored()] == [NOW - 86_400]
    with pytest.raises(NoBackup, match=name_at(NOW - 86_400)):
        find(place, name_at(NOW))
    assert find(place, name_at(NOW - 86_400)) == place.stored()[0]


def test_a_writer_that_fails_leaves_nothing(options: Backup) -> None:
    def failing() -> Iterator[bytes]:
        yield bytes(PART + 1)
        raise ObjectsAway("the object store")

    place = open_place(options)
    with pytest.raises(ObjectsAway, match="the object store"):
        place.write(name_at(NOW), failing())
    assert place.stored() == []
    with pytest.raises(NoBackup, match="none"):
        find(place, "")


def test_an_entry_that_is_larger_than_any_written_one_is_not_read(options: Backup) -> None:
    place = open_place(options)
    place.put("ledger/large", bytes(LARGEST + 1))
    with pytest.raises(ObjectsAway, match="larger"):
        place.get("ledger/large")


def test_another_file_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "serendip-yesterday.tar").write_bytes(b"")
    assert open_place(Backup(url=str(tmp_path))).stored() == []
    assert time_of(name_at(NOW)) == NOW
    assert name_at(NOW) == "serendip-20261118T110640Z.tar"
