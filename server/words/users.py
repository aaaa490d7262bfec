"""Who uses which sentence, read off the sources. Rule: a key stands whole and in quotes where it is used, or its beginning stands in
a template (`settings.theme.${theme}`); what index.html says before any script runs are sentences of the page."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from server.words.catalogue import Word
from server.words.page import SHELL, WEB

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"[\"']([a-z]+(?:\.[a-z0-9]+)*)[\"']")
_BEGUN = re.compile(r"`([a-z.]+\.)\$\{")
_ASKED = re.compile(r"\b(?:t|parts|say)\(\"([a-z.]+)\"")
_ASIDE = ("sw.js",)  # has no words: its strings are the browser's


def modules() -> dict[str, str]:
    """The page's modules, by their paths in the repository."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for path in sorted((ROOT / WEB).rglob("*.js"))
        if path.name not in _ASIDE
    }


def named_in(text: str, keys: Iterable[str]) -> set[str]:
    """Those of `keys` that a module names, in full or by the beginning of a template."""
    named, begun = set(_NAMED.findall(text)), tuple(_BEGUN.findall(text))
    return {key for key in keys if key in named or (begun and key.startswith(begun))}


def users(table: Mapping[str, Word]) -> dict[str, list[str]]:
    """The files that use each key of the source's `table`."""
    found: dict[str, list[str]] = {key: [] for key in table}
    for name, text in modules().items():
        for key in named_in(text, table):
            found[key].append(name)
    for key in found.keys() & SHELL:
        found[key].append(f"{WEB}index.html")
    return found


def unknown(table: Mapping[str, Word]) -> list[str]:
    """What modules, or the shell, ask for by a key that the source does not have, as `file: key`."""
    return [f"{WEB}index.html: {key}" for key in SHELL if key not in table] + [
        f"{name}: {key}" for name, text in modules().items() for key in sorted(set(_ASKED.findall(text)) - set(table))
    ]
