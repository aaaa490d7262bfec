"""Provide the program's version, written in this file only, and the commit that the program was built from."""

# The commit is read from `server/commit.txt` in a wheel or an sdist (`setup.py` writes it), and from git in a checkout.

import functools
import subprocess
from pathlib import Path
from typing import Final

VERSION = "0.3.0"
UNKNOWN: Final = "unknown"
PACKED: Final = "commit.txt"


def commit(package: Path) -> str:
    """Return the commit of the `server` package in a folder: 12 hexadecimal digits, with `-dirty` if files differ from it; UNKNOWN if it cannot be
    determined.
    """
    packed, tree = package / PACKED, package.parent
    if packed.is_file():
        return packed.read_text("utf-8").strip() or UNKNOWN
    if not (tree / ".git").exists():  # an installed package may lie inside another project's checkout
        return UNKNOWN
    words = ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "-C",
        str(tree),
        *words,
    ]  # root may build a checkout that another user owns
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return done.stdout.strip() or UNKNOWN


@functools.cache
def own() -> str:
    """Return the commit of this program. In a checkout this starts a git process: do not call it in the loop, nor at each start."""
    return commit(Path(__file__).resolve().parents[1])
