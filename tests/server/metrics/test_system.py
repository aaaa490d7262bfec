"""Room on the disk, the age of the backup and the collector's work are what the system says."""

import gc
import os
import shutil
from pathlib import Path

from server.metrics.system import Collections, Folder


def test_the_room_is_that_of_the_data_folders_file_system(tmp_path: Path) -> None:
    found = Folder(tmp_path, None).reading()
    assert found["serendip_disk_size_bytes"] == shutil.disk_usage(tmp_path).total
    assert 0 < found["serendip_disk_free_bytes"] <= found["serendip_disk_size_bytes"]  # type: ignore[operator]
    assert "serendip_backup_timestamp_seconds" not in found


def test_the_backup_is_as_old_as_its_stamp_and_without_one_as_old_as_time(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "stamp")
    assert folder.reading()["serendip_backup_timestamp_seconds"] == 0
    (tmp_path / "stamp").touch()
    os.utime(tmp_path / "stamp", (5, 1_700_000_000))
    assert folder.reading()["serendip_backup_timestamp_seconds"] == 1_700_000_000


def test_a_folder_that_is_gone_says_nothing_of_its_room(tmp_path: Path) -> None:
    assert Folder(tmp_path / "none", None).reading() == {}


def test_a_collection_is_counted_by_its_generation_until_the_end() -> None:
    collections = Collections()
    before = collections.reading()["serendip_gc_collections"]
    gc.collect(2)
    after = collections.reading()
    assert after["serendip_gc_collections"]["2",] == before["2",] + 1  # type: ignore[index,operator]
    assert after["serendip_gc_seconds"] > 0  # type: ignore[operator]
    collections.stop()
    gc.collect(2)
    assert collections.reading() == after
