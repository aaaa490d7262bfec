"""The catalogues in a form that is read at once. Rule: the .po files are the source; what is compiled says of which it was made, by a digest, and
is taken for these alone, so that it is never another's: where it is missing or old, the catalogues themselves are read.

The build writes it (setup.py, by `server.http.words.po_files.compile_into`). Babel's reader takes a quarter of a second for nine languages.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

HERE = Path(__file__).parent
FOLDER = HERE / "locale"
SOURCE = "words.pot"
ENGLISH = "en"
COMPILED: Final = "compiled.json"
_READERS = ("po_files.py", "plural_forms.py")  # what a catalogue means is said there

Word = str | dict[str, str]  # a sentence, or its forms by CLDR's names


def digest(folder: Path) -> str:
    """SHA-256 of the catalogues of a folder, and of what reads them, in hexadecimal. Raises OSError."""
    found = hashlib.sha256()
    for path in (*(HERE / name for name in _READERS), *sorted(folder.glob("*.po")), folder / SOURCE):
        body = path.read_bytes()
        found.update(f"{path.name}\0{len(body)}\0".encode() + body)
    return found.hexdigest()


def load(folder: Path) -> Mapping[str, Any] | None:
    """What `server.http.words.po_files.everything` says of a folder, as it was compiled; None where that is missing, damaged or of other
    catalogues."""
    import orjson

    try:
        there = orjson.loads((folder / COMPILED).read_bytes())
    except (OSError, ValueError):
        return None
    return there if isinstance(there, dict) and there.get("digest") == digest(folder) else None
