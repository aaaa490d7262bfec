"""The page's versions before this one: a shell that was loaded before a deploy goes on fetching what it was made with.

Rule: what was served under a hash is served under it again, byte by byte. A version is one archive in `DATA/pages/`, written whole or
not at all and checked as it is read. The last KEPT before the present one stay, each of SIZE_MAX bytes at the most; the rest goes.
"""

import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from server import log

logger = log.get()
KEPT = 2  # versions: one deploy that follows another at once still leaves the page of before
SIZE_MAX = 8 * 1024 * 1024  # bytes of a version, unpacked; a page has 0.6 million
_ARCHIVE = re.compile(r"[0-9a-f]{16}\.zip")


def keep(folder: Path, version: str, files: Mapping[str, bytes]) -> None:
    """Put the present version into `folder`, as the latest that was served; what is older than KEPT others goes.

    Where that cannot be done the service goes on, and the log says why.
    """
    archive = folder / f"{version}.zip"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if not archive.is_file():
            _write(archive, files)
        os.utime(archive)
        for old in _latest_first(folder)[KEPT + 1 :]:
            old.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("page.unkept", **log.described(error))


def recall(folder: Path, version: str) -> dict[str, dict[str, bytes]]:
    """The files of the versions before `version`, by version and name. What cannot be read is thrown away, and the log says so."""
    found: dict[str, dict[str, bytes]] = {}
    for archive in _latest_first(folder):
        if archive.stem == version or len(found) == KEPT:
            continue
        try:
            found[archive.stem] = _read(archive)
        except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            logger.warning("page.unreadable", **log.described(error))
            archive.unlink(missing_ok=True)
    return found


def _latest_first(folder: Path) -> list[Path]:
    """The archives, by when they were last the present version."""
    if not folder.is_dir():
        return []
    archives = [path for path in folder.iterdir() if _ARCHIVE.fullmatch(path.name)]
    return sorted(archives, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _write(archive: Path, files: Mapping[str, bytes]) -> None:
    """Under another name first: an archive with its own name is whole, whatever happens to the machine."""
    begun = archive.with_suffix(".new")
    try:
        with begun.open("wb") as out:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
                for name, body in files.items():
                    packed.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_DEFLATED)
            out.flush()
            os.fsync(out.fileno())
        begun.replace(archive)
    finally:
        begun.unlink(missing_ok=True)


def _read(archive: Path) -> dict[str, bytes]:
    """Every file, each compared with its checksum; raises ValueError for more than SIZE_MAX."""
    with zipfile.ZipFile(archive) as packed:
        if sum(entry.file_size for entry in packed.infolist()) > SIZE_MAX:
            raise ValueError
        return {entry.filename: packed.read(entry) for entry in packed.infolist()}
