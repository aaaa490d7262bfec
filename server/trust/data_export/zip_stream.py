"""A ZIP while it is made. Rule: what is given is compressed and leaves at once; nothing of it lies on a disk or is kept in memory.

Python's own `zipfile` over a stream that cannot go back: it is what every unpacker is tested against, brings no package, and its clock and
its order are ours, so that the same files are the same bytes. The directory is written last: an archive that was broken off opens nowhere.
"""

from __future__ import annotations

import io
import zipfile

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a ZIP can say; a true one would make two answers differ
PLAIN = 0o100644 << 16  # a file that its owner writes and all read, as Unix says it
UNIX = 3
LEVEL = 6


class _Outlet(io.RawIOBase):
    """Takes bytes, and gives what it took since it was asked last."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, some: bytes) -> int:  # type: ignore[override]
        self._waiting.append(bytes(some))
        return len(some)

    def taken(self) -> bytes:
        """What was written since the last call."""
        found, self._waiting = b"".join(self._waiting), []
        return found


class Archive:
    """One ZIP: `add` each file, then `end`; both give the bytes that may leave."""

    def __init__(self) -> None:
        self._outlet = _Outlet()
        self._zip = zipfile.ZipFile(self._outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)

    def add(self, name: str, body: bytes) -> bytes:
        """One file; it is compressed here, a few milliseconds a megabyte. Raises ValueError for a name that is there already."""
        if name in self._zip.NameToInfo:
            raise ValueError(f"{name} is in the archive already")
        about = zipfile.ZipInfo(name, EPOCH)
        about.external_attr, about.create_system = PLAIN, UNIX
        self._zip.writestr(about, body, zipfile.ZIP_DEFLATED, LEVEL)
        return self._outlet.taken()

    def end(self) -> bytes:
        """The directory, without which the archive is none."""
        self._zip.close()
        return self._outlet.taken()
