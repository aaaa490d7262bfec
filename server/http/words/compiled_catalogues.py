"""Load the translation catalogues from one JSON file, which the build compiles from the .po files for a faster start.

**Invariant:** the JSON file is used only if it holds the digest of the present .po files; otherwise the .po files are read.
"""

# setup.py writes it by `server.http.words.po_files.compile_into`. Babel's reader takes a quarter of a second for nine languages.

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

HERE = Path(__file__).parent
FOLDER = HERE / "locale"
SOURCE = "words.pot"
ENGLISH = "en"
COMPILED: Final = "compiled.json"
_READERS = ("po_files.py", "language_data.py")  # these define what a catalogue means

Word = str | dict[str, str]  # a sentence, or its plural forms by CLDR's names


def digest(folder: Path) -> str:
    """Return the SHA-256 of a folder's catalogues and of their readers, in hexadecimal. Raises OSError."""
    found = hashlib.sha256()
    for path in (*(HERE / name for name in _READERS), *sorted(folder.glob("*.po")), folder / SOURCE):
        body = path.read_bytes()
        found.update(f"{path.name}\0{len(body)}\0".encode() + body)
    return found.hexdigest()


def load(folder: Path) -> Mapping[str, Any] | None:
    """Return the compiled value of `server.http.words.po_files.everything` for a folder; None if it is missing, damaged or of other catalogues."""
    import orjson

    try:
        there = orjson.loads((folder / COMPILED).read_bytes())
    except (OSError, ValueError):
        return None
    return there if isinstance(there, dict) and there.get("digest") == digest(folder) else None
