"""A clock on the wall that a test sets, for all processes of a host. Rule: it is set while they run; nothing of the server knows of it."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


def built(folder: Path) -> Path:
    """The library, compiled into a folder."""
    made = folder / "clock.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", made, SOURCE], check=True, timeout=60)
    return made


class Clock:
    """One host's. `environment`: with it a process has this clock."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        file.write_bytes(bytes(8))
        self.environment = {"LD_PRELOAD": str(library), "CELL_TEST_CLOCK": str(file)}

    def set(self, ahead: int) -> None:
        """So many seconds ahead of this machine's, from here on."""
        with self._file.open("r+b") as file:  # what is mapped is this file, not one in its place
            file.write(struct.pack("<q", ahead))
