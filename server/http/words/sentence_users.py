"""Find the source files that use each sentence, by searching for its key in quotes.

**Invariant:** sources spell a key in full, or its beginning before a computed part.
"""

# Examples of computed parts: `settings.theme.${theme}`, f"saved.kind.{kind}", "refusal." ~ code. Sentences that index.html shows before any script
# runs belong to the page.

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from server.http.words.browser_catalogues import SHELL, WEB
from server.http.words.compiled_catalogues import Word

ROOT = Path(__file__).parents[3]
_NAMED = re.compile(r"[\"']([A-Za-z]+(?:\.[A-Za-z0-9]+)*)[\"']")
_BEGUN = re.compile(
    r"`([A-Za-z.]+\.)\$\{|f\"([A-Za-z.]+\.)\{|\"([A-Za-z.]+\.[A-Z]?)\" ~|\bBEGIN: Final = \"([A-Za-z.]+\.)\""
)  # in JavaScript, Python and Jinja; BEGIN: a module that uses all keys with this beginning
_ASKED = re.compile(
    r"\b(?:t|parts|say)(?:\.\w+)?\(\"([A-Za-z0-9.]+)\"[,)]|\b(?:Refused|Missing|Taken|Beyond|BadHold)\(\"([a-z]+\.[A-Za-z0-9.]+)\"[,)]"
)
_SPEAKS = re.compile(
    r"\bPAGES\b|\bwords\.(?:sentence_formatter|catalogue)\b|\bpages\.(?:offer|spoken)\(|\b(?:Refused|BadHold)\b"
)  # a module that uses a language
_WORDED = ("worded_errors.py", "sentence_formatter.py")  # the modules of this package that use sentences
_ASIDE = ("sw.js",)  # without sentences: its strings are the browser's


def modules() -> dict[str, str]:
    """Return the page's modules, by their paths in the repository."""
    return _read((ROOT / WEB).rglob("*.js"))


def documents() -> dict[str, str]:
    """Return the sources of documents and mails: templates, and the modules that fill them."""
    server = ROOT / "server"
    spoken = _read(path for path in server.rglob("*.py") if path.parent.name != "words" or path.name in _WORDED)
    templates = [*(server / "http/pages").glob("*.html"), *(server / "trust/console/templates").glob("*.html")]
    return _read(templates) | {name: text for name, text in spoken.items() if _SPEAKS.search(text)}


def _read(paths: Iterable[Path]) -> dict[str, str]:
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sorted(paths) if path.name not in _ASIDE
    }


def named_in(text: str, keys: Iterable[str]) -> set[str]:
    """Return those of `keys` that a module names, in full or by their beginning."""
    named = set(_NAMED.findall(text))
    begun = tuple(one for found in _BEGUN.findall(text) for one in found if one)
    return {key for key in keys if key in named or (begun and key.startswith(begun))}


def users(table: Mapping[str, Word]) -> dict[str, list[str]]:
    """Return the files that use each key of the source's `table`."""
    found: dict[str, list[str]] = {key: [] for key in table}
    for name, text in modules().items():
        for key in named_in(text, table):
            found[key].append(name)
    of_documents = {key for key in table if "." in key}  # a word without a dot in quotes may be anything in Python
    for name, text in documents().items():
        for key in named_in(text, of_documents):
            found[key].append(name)
    for key in found.keys() & SHELL:
        found[key].append(f"{WEB}index.html")
    return found


def unknown(table: Mapping[str, Word]) -> list[str]:
    """List keys that a module, a template or the shell uses and the source lacks, as `file: key`."""
    return [f"{WEB}index.html: {key}" for key in SHELL if key not in table] + [
        f"{name}: {key}"
        for name, text in (modules() | documents()).items()
        for key in sorted({asked or refused for asked, refused in _ASKED.findall(text)} - set(table))
    ]
