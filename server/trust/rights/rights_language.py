"""The language of these pages. Rule: by ?lang=, else by the browser's languages; English where there is no other."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from server.http.pages.page_language import language_of
from server.http.words.sentences import Said, said


@dataclass(frozen=True, slots=True)
class Language:
    """`t`: its sentences; `query`: what keeps it where somebody chose it, for addresses."""

    t: Said
    query: str


def language(request: web.BaseRequest) -> Language:
    """In which language somebody is answered."""
    name, chosen = language_of(request, said())
    return Language(said()[name], f"?lang={name}" if chosen else "")
