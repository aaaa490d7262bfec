"""The manual answers by alert, page, heading and words; and each entry of the run-book is complete."""

import re

import pytest

from server.ops.manual.manual import RUNBOOK, Manual, Section, manual
from tests.grafana.boards import ALERTS

PARTS = ("**Notice:**", "**Be sure:**", "**Do:**", "**Do not** ")
INCIDENTS = ("A bad release", "A lost secret", "A partition")  # that no alert names
ENTRIES = [section for section in manual().sections if section.page == RUNBOOK and section.level == 3]


@pytest.mark.parametrize(
    ("topic", "page", "title"),
    [
        ("SerendipStoreAway", "runbook", "SerendipStoreAway"),
        ("storeaway", "runbook", "SerendipStoreAway"),
        ("lost secret", "runbook", "A lost secret"),
        ("partition", "runbook", "A partition"),
        ("backup", "backup", "Back up and restore"),
        ("by symptom", "runbook", "By symptom"),
    ],
)
def test_a_topic_is_found_by_any_of_its_names(topic: str, page: str, title: str) -> None:
    section = manual().find(topic)
    assert section is not None
    assert (section.page, section.title) == (page, title)


@pytest.mark.parametrize("topic", ["../../etc/passwd", "", "xyzzy", "runbook.md"])
def test_what_is_no_topic_is_not_found(topic: str) -> None:
    assert manual().find(topic) is None


def test_a_search_wants_every_word_and_puts_titles_first() -> None:
    found = manual().search("nats CERTIFICATE ended")
    assert found[0].title == "SerendipCertificateEnded"
    assert all("nats" in section.text.lower() for section in found)
    assert manual().search("nats xyzzy") == []
    assert manual().search("  ") == []
    assert len(manual().search("the")) == 20


def test_a_heading_in_a_fenced_block_is_none_and_a_section_ends_at_its_equal() -> None:
    text = "# Page\n\n## One\n\n```toml\n# no heading\n```\n\n### Part\n\nx\n\n## Two\n\ny\n"
    assert [(one.title, one.text.count("\n")) for one in Manual({"page": text}).sections] == [
        ("Page", 15),
        ("One", 9),
        ("Part", 3),
        ("Two", 3),
    ]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.title)
def test_an_entry_says_what_to_notice_how_to_be_sure_what_to_do_and_what_not(
    entry: Section,
) -> None:
    text = entry.text
    places = [text.find(part) for part in PARTS]
    assert -1 not in places, "one part is missing"
    assert places == sorted(places)
    proof = text[places[1] : places[2]]
    assert re.search(r"(?m)^    \$ \S.*\n     *[^$\s]", proof), "one command, with what it prints"
    assert proof.count("    $ ") == 1


def test_each_alert_and_each_incident_without_one_has_an_entry_and_there_is_no_other() -> None:
    assert {entry.title for entry in ENTRIES} == {rule["alert"] for rule in ALERTS} | set(INCIDENTS)


def test_each_entry_is_reached_by_a_symptom_or_by_another_entry() -> None:
    linked = set(re.findall(r"\]\(#([\w-]+)\)", manual().pages[RUNBOOK]))
    pages = {rule["alert"].lower() for rule in ALERTS if rule["labels"]["severity"] == "page"}
    assert pages - linked == set()
