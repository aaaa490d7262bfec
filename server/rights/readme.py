"""README.html of an answer: what is in the archive, for people. Rule: one file that needs no other, in every language of the site, and no script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from server.pages import FOLDER
from server.rights.parts import PARTS
from server.words.said import said

_TEMPLATE = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
).get_template("rights-readme.html")


def page(know: Mapping[str, Any]) -> str:
    """The document. `know`: what know.json holds."""
    return _TEMPLATE.render(know=know, languages=list(said().values()), parts=PARTS)
