"""Run a program as another user. Invariant: it may read everything, since the interpreter may be in root's home, and write what that user may.

`setpriv` is part of util-linux, which every Debian has.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY, GROUP = "nobody", "nogroup"
READ = "+dac_read_search"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
# A process that makes no core is closed to its own user too.
reads_proc = pytest.mark.skipif(os.geteuid() != 0, reason="reads what the kernel shows of such a process to root alone")


def as_nobody() -> list[str]:
    """Return the beginning of a command line that another user runs."""
    caps = [f"--inh-caps=-all,{READ}", f"--ambient-caps={READ}", f"--bounding-set=-all,{READ}"]
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={GROUP}", "--clear-groups", *caps, "--"]


def as_root() -> list[str]:
    """Return the beginning of a command line for root, which keeps the right to read when it changes its user."""
    caps = f"-all,{READ},+setuid,+setgid"
    return ["setpriv", f"--bounding-set={caps}", f"--inh-caps={caps}", "--securebits=+no_setuid_fixup", "--"]


@contextmanager
def folder_of_nobody() -> Iterator[Path]:
    """An empty folder of that user, outside of folders that it cannot enter."""
    folder = Path(tempfile.mkdtemp(prefix="serendip-data-"))
    try:
        shutil.chown(folder, NOBODY, GROUP)
        yield folder
    finally:
        shutil.rmtree(folder)
