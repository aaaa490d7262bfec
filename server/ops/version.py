"""The version of this program, and the commit that it was made of. Rule: the version is written here and nowhere else.

The commit is what `server/commit.txt` says, which a wheel and an sdist hold (`setup.py` writes it); in a checkout git is asked.
"""

import functools
import subprocess
from pathlib import Path
from typing import Final

VERSION = "0.1.0"
UNKNOWN: Final = "unknown"
PACKED: Final = "commit.txt"


def commit(package: Path) -> str:
    """The commit of the `server` package in this folder: 12 hexadecimal digits, `-dirty` where files differ from it; UNKNOWN: nobody says."""
    packed, tree = package / PACKED, package.parent
    if packed.is_file():
        return packed.read_text("utf-8").strip() or UNKNOWN
    if not (tree / ".git").exists():  # an installed package may lie inside somebody else's checkout
        return UNKNOWN
    words = ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    command = ["git", "-c", "safe.directory=*", "-C", str(tree), *words]  # root builds what somebody else has cloned
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return done.stdout.strip() or UNKNOWN


@functools.cache
def own() -> str:
    """The commit of this program. In a checkout a process is started for it: not in the loop, and not at each start."""
    return commit(Path(__file__).resolve().parents[1])
