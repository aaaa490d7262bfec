"""Choose the language of the data request pages: by `?lang=`, else by the browser's languages, else English."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from server.http.pages.page_language import language_of
from server.http.words.sentences import Said, said


@dataclass(frozen=True, slots=True)
class Language:
    """A chosen language. `t`: its sentences; `query`: keeps an explicit choice in addresses."""

    t: Said
    query: str


def language(request: web.BaseRequest) -> Language:
    """Return the language for a request."""
    name, chosen = language_of(request, said())
    return Language(said()[name], f"?lang={name}" if chosen else "")
