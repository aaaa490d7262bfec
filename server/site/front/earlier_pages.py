"""Keep the files of earlier versions of the page, so that pages loaded before a deployment can still fetch files of their own version.

**Invariant:** a file served under a hash keeps its bytes. The last KEPT versions are kept, one archive each in `DATA/pages/`, at most SIZE_MAX
bytes.
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
KEPT = 2  # versions: after two deploys in quick succession the page from before both still works
SIZE_MAX = 8 * 1024 * 1024  # bytes of a version, unpacked; a page has 0.6 million
_ARCHIVE = re.compile(r"[0-9a-f]{16}\.zip")


def keep(folder: Path, version: str, files: Mapping[str, bytes]) -> None:
    """Store the present version in `folder` as the latest, and delete all but KEPT older ones.

    If that fails the service continues, and the failure is logged.
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
    """Return the files of the versions before `version`, by version and name. Damaged archives are deleted and logged."""
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
    """Lock the folder, which several processes may share."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _latest_first(folder: Path) -> list[Path]:
    """Return the archives, ordered by when they were last the present version."""
    archives = [path for path in folder.iterdir() if _ARCHIVE.fullmatch(path.name)]
    return sorted(archives, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _write(archive: Path, files: Mapping[str, bytes]) -> None:
    """Write an archive under another name first: one under its own name is complete, even after a crash of the machine."""
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
    """Return the archive of these files."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, body in files.items():  # at level 1: a tenth larger, a quarter of the time
            opened.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_DEFLATED, 1)
    return archive.getvalue()


def _read(archive: Path) -> dict[str, bytes] | None:
    """Return all files of an archive, each compared with its checksum; None, and the archive is deleted, if one differs or all are more than
    SIZE_MAX.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            if sum(entry.file_size for entry in opened.infolist()) <= SIZE_MAX:
                return {entry.filename: opened.read(entry) for entry in opened.infolist()}
            raise zipfile.LargeZipFile
    except (EOFError, ValueError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error) as error:
        logger.warning("page.unreadable", **log.described(error))
        archive.unlink()
        return None
