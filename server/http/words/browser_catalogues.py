"""Split the web page's sentences per language into two JSON files: <language>.json for the first load, <language>-rest.json for later screens.

A sentence is in the first file if and only if a script of the first load uses it, as `make words` recorded. The files are built when the server
starts.
"""

from collections.abc import Container, Mapping
from typing import Final

import orjson

from server.http.words.catalogue import Words

WEB: Final = "server/site/web/"  # prefix of the page's files among the locations
LATER: Final = "-rest"
# Sentences that index.html shows before any script runs.
SHELL: Final = (
    "title.home",
    "home.lead",
    "rest.wait",
    "link.failed",
    "ended.reload",
    "home.noscript",
    "home.rules",
    "home.privacy",
    "home.data",
    "home.about",
)


def page_files(
    known: Mapping[str, Words], users: Mapping[str, frozenset[str]], first: Container[str]
) -> dict[str, bytes]:
    """Return `words/<language>.json` and its rest, for each language. `users`: the files that use each key; `first`: files of the first load, by
    their names in the page's folder.
    """
    pages = {key: names for key, files in users.items() if (names := _of_page(files))}
    begin = [key for key, names in pages.items() if any(name in first for name in names)]
    later = [key for key in pages if key not in set(begin)]
    found: dict[str, bytes] = {}
    for language, words in known.items():
        found[f"words/{language}.json"] = orjson.dumps({"direction": words.direction, **words.said(begin)})
        found[f"words/{language}{LATER}.json"] = orjson.dumps(words.said(later))
    return found


def _of_page(files: frozenset[str]) -> list[str]:
    return [file.removeprefix(WEB) for file in files if file.startswith(WEB)]
