"""The templates of documents, as an environment. Rule: autoescaped, always, and a value that is missing is an error; all of a folder is read and
compiled when it is made, so that no file is opened in the loop.

The build compiles what is there (setup.py). What it compiled is taken for exactly the source, the Jinja, the Python and the choices of which it was
made; anything else is compiled anew: a quarter of a second for all of them.
"""

import hashlib
import marshal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import CodeType
from typing import Any, Final

import jinja2
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

SERVER: Final = Path(__file__).parents[2]
FOLDERS: Final = ("http/pages", "trust/console/templates")  # within SERVER: those that the build compiles
COMPILED: Final = "compiled.bin"  # within such a folder
_CHOSEN: Final[Mapping[str, Any]] = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
_MADE_BY: Final = f"{sys.implementation.cache_tag} {jinja2.__version__} {_CHOSEN}"
_Codes = Mapping[str, tuple[str, CodeType]]  # by the name of a template: the checksum of its source, and what it does


class _Built(BytecodeCache):
    """What the build left in a folder; nothing is ever added."""

    def __init__(self, folder: Path) -> None:
        self._codes = _read(folder / COMPILED)

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """A template's, empty where it has to be compiled."""
        del filename
        checksum = _checksum(source)
        bucket = Bucket(environment, name, checksum)
        there, code = self._codes.get(name, ("", None))
        if there == checksum:
            bucket.code = code
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        """Was done."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Is not."""


def environment(folder: Path, wanted: str = "*.html", **values: object) -> Environment:
    """The `wanted` templates of a folder, all there; each has `values`. Raises jinja2.TemplateSyntaxError."""
    made = _environment(folder)
    made.bytecode_cache = _Built(folder)
    made.globals |= values
    for path in folder.glob(wanted):
        made.get_template(path.name)
    return made


def compile_into(target: Path, folder: Path) -> None:
    """Compile the templates of a folder into `target`, another or the same. Raises OSError, jinja2.TemplateSyntaxError."""
    made, codes = _environment(folder), dict[str, tuple[str, CodeType]]()
    for path in sorted(folder.glob("*.html")):
        source = path.read_text("utf-8")
        codes[path.name] = (_checksum(source), made.compile(source, path.name))
    begun = target / f".{COMPILED}"
    begun.write_bytes(marshal.dumps((_MADE_BY, codes)))
    begun.replace(target / COMPILED)  # whole or not at all: servers may be starting


def _environment(folder: Path) -> Environment:
    loader = FileSystemLoader(folder)
    return Environment(loader=loader, undefined=StrictUndefined, auto_reload=False, **_CHOSEN)  # noqa: S701 - _CHOSEN says so


def _checksum(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()


def _read(file: Path) -> _Codes:
    try:
        made_by, codes = marshal.loads(file.read_bytes())  # noqa: S302 - of the package, as a .pyc is
    except (OSError, ValueError, EOFError, TypeError):
        return {}
    return codes if made_by == _MADE_BY else {}
