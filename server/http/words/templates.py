"""Load the Jinja templates of HTML documents, from the compiled form that the build made if that is current.

**Invariant:** autoescaping is always on, a missing value is an error, and no template file is opened after the start.
"""

# setup.py compiles the templates. Its result is used only for exactly the source, Jinja, Python and options that it was made with; otherwise the
# templates are compiled again: a quarter of a second for all of them.

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
_Codes = Mapping[str, tuple[str, CodeType]]  # by the name of a template: the checksum of its source, and its code


class _Built(BytecodeCache):
    """Cache of the templates compiled by the build; read only."""

    def __init__(self, folder: Path) -> None:
        self._codes = _read(folder / COMPILED)

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """Return a template's compiled code, or an empty bucket if it has to be compiled."""
        del filename
        checksum = _checksum(source)
        bucket = Bucket(environment, name, checksum)
        there, code = self._codes.get(name, ("", None))
        if there == checksum:
            bucket.code = code
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        """Do nothing: `get_bucket` has loaded it."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Do nothing: the cache is read only."""


def environment(folder: Path, wanted: str = "*.html", **values: object) -> Environment:
    """Return an environment with the `wanted` templates of a folder loaded; each has `values`. Raises jinja2.TemplateSyntaxError."""
    made = _environment(folder)
    made.bytecode_cache = _Built(folder)
    made.globals |= values
    for path in folder.glob(wanted):
        made.get_template(path.name)
    return made


def compile_into(target: Path, folder: Path) -> None:
    """Compile the templates of a folder into `target`. Raises OSError, jinja2.TemplateSyntaxError."""
    made, codes = _environment(folder), dict[str, tuple[str, CodeType]]()
    for path in sorted(folder.glob("*.html")):
        source = path.read_text("utf-8")
        codes[path.name] = (_checksum(source), made.compile(source, path.name))
    begun = target / f".{COMPILED}"
    begun.write_bytes(marshal.dumps((_MADE_BY, codes)))
    begun.replace(target / COMPILED)  # completely or not at all: servers may be starting


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
