"""Fetch the files of public sets from their pinned addresses into a folder of the user, and name those that are missing.

The folder is `SERENDIP_DETECTION_SETS`, else `serendip/detection` below the user's cache. **Invariant:** a file is written only if its SHA-256 is
the pinned one; nothing else opens the network.
"""

import io
import os
import urllib.request
import zipfile
from pathlib import Path
from typing import Final

from bench.detection.labelled_lines import BadSet, PublicFile, is_intact

FILE_MAX: Final = 4 * 1024 * 1024  # bytes of a download
TIMEOUT_S: Final = 30.0


def sets_folder() -> Path:
    """Return the folder of public files."""
    chosen = os.environ.get("SERENDIP_DETECTION_SETS")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(chosen) if chosen else cache / "serendip" / "detection"


def missing_files(files: list[PublicFile], folder: Path) -> list[PublicFile]:
    """Return the files that the folder lacks."""
    return [file for file in files if not (folder / file.name).is_file()]


def fetch_file(file: PublicFile, folder: Path) -> None:
    """Download a file, check it, and keep it. Raises BadSet, or OSError if the network fails."""
    with urllib.request.urlopen(file.url, timeout=TIMEOUT_S) as answer:  # noqa: S310 the pinned addresses
        body = answer.read(FILE_MAX + 1)
    if len(body) > FILE_MAX:
        raise BadSet(f"{file.url}: more than {FILE_MAX} bytes")
    if member := file.about.get("member"):
        body = _unpack(file.url, body, member)
    if not is_intact(file, body):
        raise BadSet(f"{file.url}: not the pinned file (SHA-256 {file.sha256})")
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{file.name}.part"
    part.write_bytes(body)
    part.replace(folder / file.name)


def _unpack(url: str, body: bytes, member: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if archive.getinfo(member).file_size > FILE_MAX:
                raise BadSet(f"{url}: {member} has more than {FILE_MAX} bytes")
            return archive.read(member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise BadSet(f"{url}: {error}") from None
