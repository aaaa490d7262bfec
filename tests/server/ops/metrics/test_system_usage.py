"""Room on the disk and the collector's work are what the system says."""

import gc
import shutil
from pathlib import Path

from server.ops.metrics.system_usage import Collections, Folder


def test_the_room_is_that_of_the_data_folders_file_system(tmp_path: Path) -> None:
    found = Folder(tmp_path).reading()
    assert found["serendip_disk_size_bytes"] == shutil.disk_usage(tmp_path).total
    assert 0 < found["serendip_disk_free_bytes"] <= found["serendip_disk_size_bytes"]  # type: ignore[operator]


def test_a_folder_that_is_gone_says_nothing_of_its_room(tmp_path: Path) -> None:
    assert Folder(tmp_path / "none").reading() == {}


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
