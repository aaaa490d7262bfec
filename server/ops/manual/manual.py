"""Read the operator's manual, find the section of a topic or an alert in it, and search it.

The text is English Markdown. **Invariant:** a look-up reads no file that is not a page of the manual, whatever the topic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from server.ops.manual.manual_files import tree

INDEX: Final = "README"
RUNBOOK: Final = "runbook"
# Pages of docs/ that are part of it: what the pages of docs/operate/ refer an operator to.
BESIDE: Final = ("configuration", "metrics", "performance", "safety", "store")
QUERY_MAX: Final = 100  # characters of a search
FOUND_MAX: Final = 20
_heading = re.compile(r"(?m)^(#{1,3}) (.+)$")
_fence = re.compile(r"(?ms)^```.*?^```")


class Section(NamedTuple):
    """A part of a page, from its heading to the next one of the same or a higher level. `anchor`: of the heading, as GitHub makes it."""

    page: str
    title: str
    anchor: str
    level: int
    text: str


class Manual:
    """The pages and their sections."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        """`pages`: Markdown by name, without `.md`."""
        self.pages = dict(pages)
        self.sections = [section for name, text in self.pages.items() for section in _sections(name, text)]

    def find(self, topic: str) -> Section | None:
        """Return the section of a topic: an alert with or without "Serendip", a page, or a heading; letters' case does not count."""
        wanted = _folded(topic)
        for title in (wanted, f"serendip{wanted}"):
            for section in self.sections:
                if section.page == RUNBOOK and _folded(section.title) == title:
                    return section
        for section in self.sections:
            if section.level == 1 and wanted in (section.page.lower(), _folded(section.title)):
                return section
        return next((one for one in self.sections if _folded(one.title) == wanted), None)

    def search(self, words: str) -> list[Section]:
        """Return the smallest sections that contain every word, the best first: a word in the title counts most."""
        asked = words[:QUERY_MAX].casefold().split()
        if not asked:
            return []
        scored = [
            (score, -place, section)
            for place, section in enumerate(self._smallest())
            if (score := _score(section, asked)) > 0
        ]
        return [section for _, _, section in sorted(scored, reverse=True)[:FOUND_MAX]]

    def _smallest(self) -> Iterator[Section]:
        """Yield each section without its subsections."""
        for section in self.sections:
            own = _heading.split(section.text, maxsplit=2)
            # text before the heading, marks, title, text up to the next heading
            yield section._replace(text=own[3] if len(own) > 3 else section.text)


def _score(section: Section, asked: list[str]) -> int:
    """Return how well a section answers; 0 if a word is missing."""
    title, text = section.title.casefold(), section.text.casefold()
    if not all(word in text or word in title for word in asked):
        return 0
    first = section.page == RUNBOOK
    return sum(50 * (word in title) + min(5, text.count(word)) for word in asked) + 10 * first


def _folded(title: str) -> str:
    return re.sub(r"[^\w ]", "", title).strip().casefold().removeprefix("a ")


def anchor(title: str) -> str:
    """Return the address of a heading within its page, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def _sections(page: str, text: str) -> Iterator[Section]:
    """Yield the sections of a page; a `#` within a fenced block is no heading."""
    hidden = _fence.sub(lambda found: " " * len(found[0]), text)
    heads = list(_heading.finditer(hidden))
    for place, head in enumerate(heads):
        level = len(head[1])
        end = next((later.start() for later in heads[place + 1 :] if len(later[1]) <= level), len(text))
        title = head[2].replace("`", "").strip()
        yield Section(page, title, anchor(title), level, text[head.start() : end].rstrip() + "\n")


def first_sentence(section: Section) -> str:
    """Return the beginning of a section's text, for lists of results."""
    words = " ".join(line for line in section.text.splitlines() if line and not line.startswith(("#", "|", "    ")))
    plain = words.replace("**", "").replace("`", "").replace("Notice: ", "", 1)
    return plain if len(plain) <= 150 else plain[:149].rpartition(" ")[0] + " …"


@cache
def manual() -> Manual:
    """Return the manual of this version; it reads files at the first call. Raises OSError."""
    docs = tree() / "docs"
    files: list[Path] = [docs / "operate" / f"{INDEX}.md", docs / "operate" / f"{RUNBOOK}.md"]
    files += sorted(path for path in (docs / "operate").glob("*.md") if path.stem not in (INDEX, RUNBOOK))
    files += [docs / f"{name}.md" for name in BESIDE]
    return Manual({path.stem: path.read_text(encoding="utf-8") for path in files})
