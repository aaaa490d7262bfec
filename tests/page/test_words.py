"""Everything a person reads on the page stands in words/en.json: nothing in a view, nothing unused, nothing missing."""

import json
import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "server" / "web"
WORDS = json.loads((WEB / "words" / "en.json").read_text("utf-8"))
VIEWS = sorted([*WEB.glob("views/*.js"), *WEB.glob("parts/*.js"), WEB / "icons.js", WEB / "app.js"])
VISIBLE = re.compile(r"(?:aria-label|placeholder|title|alt|label)=\"([^\"]*[A-Za-z]{2}[^\"]*)\"")


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


def test_each_word_that_is_used_is_there_and_each_that_is_there_is_used() -> None:
    source = "\n".join(path.read_text("utf-8") for path in WEB.rglob("*.js") if path.name != "sw.js")
    named = set(re.findall(r"[\"']([a-z]+(?:\.[a-z0-9]+)*)[\"']", source))
    prefixes = re.findall(r"`([a-z.]+\.)\$\{", source)
    missing = {key for key in re.findall(r"\b(?:t|parts|say)\(\"([a-z.]+)\"", source) if key not in WORDS}
    assert not missing
    unused = {key for key in WORDS if key not in named and not any(key.startswith(prefix) for prefix in prefixes)}
    assert not unused


def test_plurals_have_a_form_for_every_number() -> None:
    for key, word in WORDS.items():
        assert isinstance(word, str) or set(word) == {"one", "other"}, key


def test_what_the_shell_says_is_what_the_words_say() -> None:
    shell = (WEB / "index.html").read_text("utf-8")
    said = {word for word in WORDS.values() if isinstance(word, str)}
    manifest = json.loads((WEB / "manifest.webmanifest").read_text("utf-8"))
    texts = re.findall(r">([^<>]*[A-Za-z][^<>]*)<", shell.split("</head>")[1])
    texts += re.findall(r"<title>([^<]*)</title>", shell) + re.findall(r'name="description" content="([^"]*)"', shell)
    assert {text.strip() for text in texts} | {manifest["name"], manifest["description"]} <= said
