"""Render README.html of an export. **Invariant:** one self-contained file, in every language of the site, without a script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.http.pages import FOLDER
from server.http.words import templates
from server.http.words.sentence_formatter import said
from server.trust.data_export.export_parts import PARTS

_NAME = "rights-readme.html"
_TEMPLATE = templates.environment(FOLDER, _NAME).get_template(_NAME)


def page(know: Mapping[str, Any]) -> str:
    """Return the document. `know`: the content of know.json."""
    return _TEMPLATE.render(know=know, languages=list(said().values()), parts=PARTS)
