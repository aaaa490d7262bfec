"""Every document in every language: its direction, its words, and no English that is left."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape

import pytest

from server.data.privacy.registry import REGISTRY
from server.data.statement.current_statement import PublishedStatement
from server.data.statement.term_translations import SAID
from server.data.statistics.count_names import ENDINGS, LENGTHS
from server.data.statistics.published_statistics import month as used
from server.data.statistics.statistics_page import tables as of_use
from server.http.pages import Pages
from server.http.words.catalogue import words
from server.http.words.sentence_formatter import said
from server.ops.config.settings import Settings
from server.trust.moderation_protocol import Reasons
from server.trust.publication.figure_tables import tables
from server.trust.publication.monthly_figures import month
from server.trust.reports.report_outcome_and_appeal_routes import shown
from server.trust.rights.request_page_base import Page
from server.trust.rights.request_pages import NOTHING, TICKETS

PAGES = Pages(lambda name: name)
LONG = 25  # characters from which a sentence is no word that two languages share
NOW = 1_795_536_309
MONTH = month(
    "2026-10", {"report/acted/spam": 120, "report/none/spam": 44, "decision/person/R5/7 days": 41, "operators": 3}
)
EVERYTHING = {"mail": {"host": "m"}, "video": {"turn": ["turn:t"]}, "server": {"proxies": ["10.0.0.1"]}}
SOURCES = ("reported", "found", "person")  # why a person looked
FOUND = ("program", "repeat", "groom", "age.claim")  # what a program decided by


def documents(language: str) -> Iterator[tuple[str, dict[str, object]]]:
    """The template and the values of each, in each of its states."""
    t, say = said()[language], SAID[language]
    for settings in (EVERYTHING, {**EVERYTHING, "store": {"enabled": False}}):
        published = PublishedStatement(Settings.model_validate(settings))
        doc = published.answer(published.version, language)
        yield "privacy.html", {"doc": doc, "say": say, "current": True, "rights": True}
        yield "privacy-changes.html", {"history": published.history(language), "past": [], "say": say}
    for state in ("received", "acted", "none", "reversed", "aged", "away", "wait", "missing"):
        yield "report.html", {"state": state, "at": t.day(NOW), "closed": t.day(NOW), "moderated": state != "received"}
    for state in ("away", "wait", "origin", "unread", "missing"):
        yield "appeal.html", {"state": state}
    ban = Reasons("ban", "R4", "", NOW, NOW + 3_600, False, True, "", "", 0)
    told = [replace(ban, measure=measure, source=source) for measure in ("ban", "warning") for source in SOURCES]
    told += [replace(ban, measure="pause", program=found) for found in FOUND]
    told += [replace(ban, measure="pause", rule=rule, network=not rule) for rule in ("", "R4")]
    told += [
        replace(ban, running=False, appealed=state, again=NOW) for state in ("upheld", "open", "lapsed", "reversed")
    ]
    for found in (*told, replace(ban, network=True, running=False), replace(ban, measure="pause", rule="")):
        yield "appeal.html", {"state": "found", "path": "/x", **shown(found, empty=True, t=t)}
    for screened in (True, False):
        yield "parents.html", {"labelled": True, "screened": screened}
    use = {
        **{f"hour/{kind}/{hour:02}/text": 31 * 40 for kind in ("weekday", "weekend") for hour in range(24)},
        **{
            f"{table}/{part}": 31 * 40
            for table, parts in (("ending", ENDINGS), ("length", (*LENGTHS, 0)))
            for part in parts
        },
        **dict.fromkeys(("language/en", "language/de", "language/other"), 31 * 40),
    }
    months = [(t.month("2026-10"), of_use(used("2026-10", use, 0), t)), (t.month("2026-09"), [])]
    for state in ("", "empty", "away"):
        yield "statistics.html", {"state": state, "months": [] if state else months}
    yield (
        "transparency.html",
        {"state": "", "ledger": {"day": t.day(0), "hash": "5f"}, "months": [(t.month("2026-10"), tables(MONTH, t))]},
    )
    page = Page("token", "")
    yield "rights.html", {
        "page": page, "say": say, "level": "cookie", "may": {"know", "delete", "manage"}, "requests": [], "deleting": None, "restricted": True,
        "kinds": TICKETS, "operator": Settings().operator, "parents": True, "puzzle": "{}", "written": NOTHING, "problem": "",
    }  # fmt: skip
    yield "rights-confirm.html", {"page": page, "say": say, "empty": True}


@pytest.mark.parametrize("language", said())
def test_every_document_is_whole_in_every_language(language: str) -> None:
    t, mine = said()[language], set(map(str, words()[language].table.values()))
    english = [
        one for one in words()["en"].table.values() if isinstance(one, str) and len(one) > LONG and "{" not in one
    ]
    foreign = [one for one in english if one not in mine] if language != "en" else []
    for template, values in documents(language):
        html = PAGES.text(template, t=t, query="", heading=REGISTRY.heading, **values)
        assert f'<html lang="{language}" dir="{t.direction}">' in html
        assert 'lang="en"' not in html.partition("<main")[2].partition("</main>")[0]
        text = unescape(re.sub(r"<[^>]*>", "\n", html))
        assert [one for one in foreign if one in text] == [], template
