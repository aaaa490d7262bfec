"""Implement `serendip help`: print a page, a section or an alert's entry of the manual that is installed with the program.

**Invariant:** it needs no settings, no data folder and no network: it works when nothing else does.
"""

from __future__ import annotations

import sys

from server.main.commands.command_base import clean, say, stop
from server.ops.manual.manual import INDEX, Manual, first_sentence, manual

NOTHING = 1


def help_about(topic: str) -> None:
    """Print what the manual says of a topic; the index without one. Exits with status 1 if it says nothing."""
    try:
        found = manual()
    except OSError as fault:
        stop(f"the manual is not installed: {fault.filename}: {fault.strerror}")
    if not topic.strip():
        _show(found.pages[INDEX])
        say("\nserendip help ALERT: its entry in the run-book. serendip help runbook: symptoms and all entries.")
        say("serendip help PAGE. serendip help WORDS: a search.")
        return
    section = found.find(topic)
    if section is not None:
        _show(section.text if section.page != section.anchor or section.level > 1 else found.pages[section.page])
        return
    _search(found, topic)


def _search(found: Manual, topic: str) -> None:
    """Print the sections that contain the words; the text itself if there is one alone."""
    sections = found.search(topic)
    if not sections:
        stop(f"the manual says nothing of {clean(topic)[:100]}: serendip help lists its pages", status=NOTHING)
    if len(sections) == 1:
        _show(sections[0].text)
        return
    for section in sections:
        say(f"{section.title}  ({section.page})")
        say(f"    {first_sentence(section)}")
    say("\nserendip help with one of these titles prints it.")


def _show(markdown: str) -> None:
    """Print Markdown: laid out in a terminal, as it is into a file or a pipe."""
    if not sys.stdout.isatty():
        say(markdown.rstrip("\n"))
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=min(110, Console().width)).print(Markdown(markdown, hyperlinks=False))
