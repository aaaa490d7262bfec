"""The words of these pages, in each language of the site. Rule: by ?lang=, else by the browser's languages; English where there is no other."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aiohttp import web

from server.pages import FOLDER
from server.pages.languages import language_of

WORDS: dict[str, dict[str, str]] = {
    path.stem: json.loads(path.read_bytes()) for path in sorted((FOLDER / "words" / "rights").glob("*.json"))
}


@dataclass(frozen=True, slots=True)
class Language:
    """`name`: of the language; `said`: its words, by key; `query`: what keeps it where somebody chose it, for addresses."""

    name: str
    said: dict[str, str]
    query: str


def language(request: web.BaseRequest) -> Language:
    """In which language somebody is answered."""
    name, chosen = language_of(request, WORDS)
    return Language(name, WORDS[name], f"?lang={name}" if chosen else "")
