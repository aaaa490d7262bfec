"""The page's versions before this one: a shell that was loaded before a deploy goes on fetching what it was made with.

Rule: what was served under a hash is served under it again, byte by byte. A version is one archive in `DATA/pages/`, written whole or
not at all and checked as it is read. The last KEPT before the present one stay, each of SIZE_MAX bytes at the most; the rest goes.
"""

import contextlib
import fcntl
import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from server.ops import log

logger = log.get()
KEPT = 2  # versions: one deploy that follows another at once still leaves the page of before
SIZE_MAX = 8 * 1024 * 1024  # bytes of a version, unpacked; a page has 0.6 million
_ARCHIVE = re.compile(r"[0-9a-f]{16}\.zip")


def keep(folder: Path, version: str, files: Mapping[str, bytes]) -> None:
    """Put the present version into `folder`, as the latest that was served; what is older than KEPT others goes.

    Where that cannot be done the service goes on, and the log says why.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with _alone(folder):
            for begun in folder.glob("*.new"):
                begun.unlink()  # its writer was killed
            archive = folder / f"{version}.zip"
            if not archive.is_file():
                _write(archive, files)
            os.utime(archive)
            for old in _latest_first(folder)[KEPT + 1 :]:
                old.unlink()
    except OSError as error:
        logger.warning("page.unkept", **log.described(error))


def recall(folder: Path, version: str) -> dict[str, dict[str, bytes]]:
    """The files of the versions before `version`, by version and name. What is damaged is thrown away, and the log says so."""
    found: dict[str, dict[str, bytes]] = {}
    if not folder.is_dir():
        return found
    try:
        with _alone(folder):
            for archive in _latest_first(folder):
                if archive.stem != version and len(found) < KEPT and (files := _read(archive)) is not None:
                    found[archive.stem] = files
    except OSError as error:
        logger.warning("page.unreadable", **log.described(error))
    return found


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Processes may share the folder."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _latest_first(folder: Path) -> list[Path]:
    """The archives, by when they were last the present version."""
    archives = [path for path in folder.iterdir() if _ARCHIVE.fullmatch(path.name)]
    return sorted(archives, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _write(archive: Path, files: Mapping[str, bytes]) -> None:
    """Under another name first: an archive with its own name is whole, whatever happens to the machine."""
    begun = archive.with_suffix(".new")
    try:
        with begun.open("wb") as out:
            out.write(packed(files))
            out.flush()
            os.fsync(out.fileno())
        begun.replace(archive)
    finally:
        begun.unlink(missing_ok=True)


def packed(files: Mapping[str, bytes]) -> bytes:
    """The archive of these files."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, body in files.items():  # at level 1: a tenth larger, a quarter of the time
            opened.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_DEFLATED, 1)
    return archive.getvalue()


def _read(archive: Path) -> dict[str, bytes] | None:
    """Every file, each compared with its checksum; None where one differs, or all are more than SIZE_MAX: then it is gone."""
    try:
        with zipfile.ZipFile(archive) as opened:
            if sum(entry.file_size for entry in opened.infolist()) <= SIZE_MAX:
                return {entry.filename: opened.read(entry) for entry in opened.infolist()}
            raise zipfile.LargeZipFile
    except (EOFError, ValueError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error) as error:
        logger.warning("page.unreadable", **log.described(error))
        archive.unlink()
        return None
