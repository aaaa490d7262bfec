"""Everything a person reads on the page stands in the catalogues: nothing in a view, nothing unused, nothing missing.

Two files a language: <language>.json comes with the first load, <language>-rest.json with what is fetched later. A key is
in the first exactly if a module of the first load uses it. Every language has the same keys.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from server.http.pages import FOLDER as PAGES
from server.http.words.catalogue import languages
from server.http.words.sentence_users import named_in
from server.site.front.page_bundle import START, first_load
from server.site.front.page_files import FOLDER as WEB
from server.site.front.page_files import Web, sources_in

SOURCES = {name: text.decode() for name, text in sources_in(WEB).items() if name.endswith(".js")}
VENDORED = {path.relative_to(WEB).as_posix(): b"" for path in WEB.glob("vendor/*.mjs")}
FIRST = {START, *first_load({name: text.encode() for name, text in SOURCES.items()} | VENDORED)} - set(VENDORED)
FILES = Web().files
VIEWS = sorted(path for path in WEB.rglob("*.js") if path.name != "sw.js")
VISIBLE = re.compile(r"(?:aria-label|placeholder|title|alt|label)=\"([^\"]*[A-Za-z]{2}[^\"]*)\"")


def words(name: str) -> dict[str, Any]:
    """One file of words."""
    found: dict[str, Any] = json.loads(FILES[f"words/{name}.json"].body)
    return found


def markup(source: str) -> list[str]:
    """The literal parts of each html`...`, without what is inside ${}."""
    found = []
    for start in re.finditer(r"html`", source):
        depth, piece, at = 0, "", start.end()
        while at < len(source) and (depth or source[at] != "`"):
            if source.startswith("${", at):
                depth, at = depth + 1, at + 2
                piece += "\0" if depth == 1 else ""
                continue
            if depth and source[at] == "{":
                depth += 1
            elif depth and source[at] == "}":
                depth -= 1
            elif not depth:
                piece += source[at]
            at += 1
        found.append(piece)
    return found


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: path.relative_to(WEB).as_posix())
def test_no_view_holds_a_word(path: Path) -> None:
    for piece in markup(path.read_text("utf-8")):
        text = re.sub(r"<[^>]*>?", " ", piece.split(">", 1)[-1] if piece.lstrip().startswith("<") else piece)
        assert not re.search(r"[A-Za-z]{2,}", text), f"{path.name}: {text.strip()[:80]}"
        assert not VISIBLE.search(piece), f"{path.name}: {VISIBLE.search(piece)}"


def used(names: set[str], keys: set[str]) -> set[str]:
    """Those of `keys` that these modules name."""
    return set().union(*(named_in(SOURCES[name], keys) for name in names))


def test_each_word_is_used_and_comes_with_those_who_use_it() -> None:
    first, rest = set(words("en")) - {"direction"}, set(words("en-rest"))
    shell = {"home.noscript"}  # said by index.html
    assert not first & rest
    assert used(FIRST, first | rest) | shell == first
    assert used(set(SOURCES) - FIRST - {"sw.js"}, rest) == rest


@pytest.mark.parametrize("language", languages())
def test_each_language_has_every_word_in_the_same_file_and_topics_to_choose_from(language: str) -> None:
    for part in ("", "-rest"):
        assert list(words(f"{language}{part}")) == list(words(f"en{part}"))
    assert words(language)["direction"] in ("ltr", "rtl")
    topics = json.loads(FILES[f"topics/{language}.json"].body)
    assert len(topics) == len(set(topics)) >= 60
    assert all(0 < len(topic) <= 30 for topic in topics)


def test_what_the_shell_says_is_what_the_words_say() -> None:
    shell = (WEB / "index.html").read_text("utf-8")
    said = {word for word in words("en").values() if isinstance(word, str)}
    manifest = json.loads((WEB / "manifest.webmanifest").read_text("utf-8"))
    texts = re.findall(r">([^<>]*[A-Za-z][^<>]*)<", shell.split("</head>")[1])
    texts += re.findall(r"<title>([^<]*)</title>", shell) + re.findall(r'name="description" content="([^"]*)"', shell)
    assert {text.strip() for text in texts} | {manifest["name"], manifest["description"]} <= said


def test_what_is_held_about_a_person_has_every_word_in_its_languages() -> None:
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in (PAGES / "words").glob("*.json")}
    for language, table in found.items():
        assert list(table) == list(found["en"])
        assert table["language"] == language
