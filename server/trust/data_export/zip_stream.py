"""Stream a ZIP archive while it is made.

**Invariant:** each file is compressed and sent at once, nothing is stored on disk, and the archive is never whole in memory. The same files give
the same bytes.
"""

from __future__ import annotations

import io
import zipfile

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time of a ZIP; real times would make two exports differ
PLAIN = 0o100644 << 16  # Unix mode 0644
UNIX = 3
LEVEL = 6


class _Outlet(io.RawIOBase):
    """Buffer that returns the bytes written since the last call."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, some: bytes) -> int:  # type: ignore[override]
        self._waiting.append(bytes(some))
        return len(some)

    def taken(self) -> bytes:
        """Return the bytes written since the last call."""
        found, self._waiting = b"".join(self._waiting), []
        return found


class Archive:
    """A ZIP: `add` each file, then `end`; both return the bytes to send.

    Made by the standard library's `zipfile` on a stream that cannot seek, an output that every common unpacker reads. Times and order are fixed.
    The directory is written last: an interrupted archive cannot be opened.
    """

    def __init__(self) -> None:
        self._outlet = _Outlet()
        self._zip = zipfile.ZipFile(self._outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)

    def add(self, name: str, body: bytes) -> bytes:
        """Add a file; it is compressed here, a few milliseconds a megabyte. Raises ValueError for a duplicate name."""
        if name in self._zip.NameToInfo:
            raise ValueError(f"{name} is in the archive already")
        about = zipfile.ZipInfo(name, EPOCH)
        about.external_attr, about.create_system = PLAIN, UNIX
        self._zip.writestr(about, body, zipfile.ZIP_DEFLATED, LEVEL)
        return self._outlet.taken()

    def end(self) -> bytes:
        """Return the directory, which completes the archive."""
        self._zip.close()
        return self._outlet.taken()
