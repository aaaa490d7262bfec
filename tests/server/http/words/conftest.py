"""Small catalogues in a folder of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

HEAD = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals={}; plural={};\\n"\n\n'
)
SOURCE = """#: server/site/web/app.js
msgctxt "hello"
msgid "Hello, {name}"
msgstr ""

#. at most 12 characters
#: server/site/web/views/chat.js
msgctxt "left"
msgid "{n} left"
msgid_plural "{n} are left"
msgstr[0] ""
msgstr[1] ""
"""
Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Makes a folder of catalogues: `ru="entries"`, with Russian's forms."""

    def made(source: str = SOURCE, forms: int = 4, formula: str | None = None, **languages: str) -> Path:
        rule = "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2"
        (tmp_path / "words.pot").write_text(HEAD.format(2, "(n != 1)") + source, "utf-8")
        for language, text in languages.items():
            (tmp_path / f"{language}.po").write_text(HEAD.format(forms, formula or f"({rule})") + text, "utf-8")
        return tmp_path

    return made


RUSSIAN = """msgctxt "hello"
msgid "Hello, {name}"
msgstr "Привет, {name}"

msgctxt "left"
msgid "{n} left"
msgid_plural "{n} are left"
msgstr[0] "ещё {n}"
msgstr[1] "ещё {n}"
msgstr[2] "ещё {n}"
msgstr[3] "ещё {n}"
"""
