"""What earlier versions of the page leave behind: whole archives, the last ones, and none that is damaged."""

import os
import subprocess
import sys
from pathlib import Path

from structlog.testing import capture_logs

from server.site.front import earlier_pages
from tests.house.sources import ROOT

FILES = {"app.js": b"export {};\n", "vendor/figtree.woff2": bytes(range(256)) * 40}
VERSIONS = [f"{number:016x}" for number in range(5)]


def served(folder: Path, *versions: str) -> None:
    """Each version was the present one, in this order."""
    for second, version in enumerate(versions):
        earlier_pages.keep(folder, version, {**FILES, "words/en.json": version.encode()})
        os.utime(folder / f"{version}.zip", (second, second))


def test_a_version_finds_the_two_before_it_and_no_more_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    served(folder, *VERSIONS[:4])
    (folder / f"{VERSIONS[1]}.new").write_text("half of a version, by a process that was killed")
    earlier_pages.keep(folder, VERSIONS[4], FILES)
    found = earlier_pages.recall(folder, VERSIONS[4])
    assert list(found) == [VERSIONS[3], VERSIONS[2]]
    assert found[VERSIONS[3]] == {**FILES, "words/en.json": VERSIONS[3].encode()}
    assert sorted(path.name for path in folder.iterdir()) == [*(f"{version}.zip" for version in VERSIONS[2:]), "lock"]


def test_who_goes_back_a_version_finds_the_one_that_was_tried(tmp_path: Path) -> None:
    served(tmp_path, *VERSIONS[:3])
    earlier_pages.keep(tmp_path, VERSIONS[0], FILES)
    assert list(earlier_pages.recall(tmp_path, VERSIONS[0])) == [VERSIONS[2], VERSIONS[1]]


def test_a_damaged_archive_is_told_and_thrown_away_and_the_others_are_served(tmp_path: Path) -> None:
    served(tmp_path, *VERSIONS[:3])
    archive = tmp_path / f"{VERSIONS[2]}.zip"
    body = bytearray(archive.read_bytes())
    body[42] ^= 0xFF  # within the first file
    archive.write_bytes(body)
    with capture_logs() as told:
        assert list(earlier_pages.recall(tmp_path, VERSIONS[4])) == [VERSIONS[1], VERSIONS[0]]
    assert [event["event"] for event in told] == ["page.unreadable"]
    assert not archive.exists()


def test_an_archive_that_would_fill_the_memory_is_not_unpacked(tmp_path: Path) -> None:
    earlier_pages.keep(tmp_path, VERSIONS[0], {"app.js": bytes(earlier_pages.SIZE_MAX + 1)})
    assert (tmp_path / f"{VERSIONS[0]}.zip").stat().st_size < 40_000
    assert earlier_pages.recall(tmp_path, VERSIONS[1]) == {}


def test_where_nothing_can_be_kept_the_log_says_so_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "pages").write_text("a file in the place of the folder")
    with capture_logs() as told:
        earlier_pages.keep(tmp_path / "pages", VERSIONS[0], FILES)
        assert earlier_pages.recall(tmp_path / "pages", VERSIONS[0]) == {}
    assert [event["event"] for event in told] == ["page.unkept"]
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / f"{VERSIONS[0]}.new").mkdir()  # what is written cannot be
    with capture_logs() as told:
        earlier_pages.keep(folder, VERSIONS[0], FILES)
    assert [event["event"] for event in told] == ["page.unkept"]
    (folder / "lock").unlink()
    (folder / "lock").mkdir()  # nor can the folder be had alone
    with capture_logs() as told:
        earlier_pages.keep(folder, VERSIONS[0], FILES)
        assert earlier_pages.recall(folder, VERSIONS[1]) == {}
    assert [event["event"] for event in told] == ["page.unkept", "page.unreadable"]


def test_what_else_lies_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.zip").write_text("mine")
    served(tmp_path, *VERSIONS)
    assert (tmp_path / "notes.zip").read_text() == "mine"
    assert len(list(tmp_path.glob("*.zip"))) == earlier_pages.KEPT + 2


def test_processes_that_share_the_folder_start_at_once(tmp_path: Path) -> None:
    start = (
        "import sys; from pathlib import Path; from server.site.front import earlier_pages as earlier\n"
        "for round in range(30):\n"
        "    for version in sys.argv[2:]:\n"
        "        earlier.keep(Path(sys.argv[1]), version, {'app.js': version.encode() * 5000})\n"
        "        found = earlier.recall(Path(sys.argv[1]), version)\n"
        "        assert all(files == {'app.js': name.encode() * 5000} for name, files in found.items())\n"
    )
    others = [
        subprocess.Popen([sys.executable, "-c", start, str(tmp_path), *order], stderr=subprocess.PIPE, cwd=ROOT)
        for order in (VERSIONS, VERSIONS[::-1])
    ]
    assert [other.communicate(timeout=60)[1] for other in others] == [b"", b""]
    assert [other.returncode for other in others] == [0, 0]
    assert list(tmp_path.glob("*.new")) == []
