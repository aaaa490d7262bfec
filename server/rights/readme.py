"""README.html of an answer: what is in the archive, for people. Rule: one file that needs no other, in every language of the site, and no script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from server.pages import FOLDER
from server.rights.parts import PARTS

_WORDS = [json.loads(path.read_bytes()) for path in sorted((FOLDER / "words").glob("*.json"))]
_WORDS.sort(key=lambda words: words["language"] != "en")  # English first
_TEMPLATE = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
).get_template("rights-readme.html")


def page(know: Mapping[str, Any]) -> str:
    """The document. `know`: what know.json holds."""
    return _TEMPLATE.render(know=know, languages=_WORDS, parts=PARTS)
