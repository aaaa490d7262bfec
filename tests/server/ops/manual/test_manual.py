"""The manual answers by alert, page, heading and words; and each entry of the run-book is complete."""

import re
import shlex
from typing import Any

import pytest
from typer.main import get_command

from server.main.cli import app
from server.ops.manual.manual import RUNBOOK, Manual, Section, manual
from tests.grafana.boards import ALERTS

PARTS = ("**Notice:**", "**Be sure:**", "**Do:**", "**Do not** ")
INCIDENTS = ("A bad release", "A letter of a court", "A lost secret", "A partition")  # that no alert names
PROCESSES = {"superv", "hub", "front", "w1"}  # `serendip hub` is what ps shows
COMMAND = re.compile(r"(?:^|(?<=[\s/`]))(?<!-u )(?<!src/)serendip (?!serendip )(?=[a-z-])([^`\n]*)")
NOTHING: Any = None  # the context of a command, which none of them needs here
ENTRIES = [section for section in manual().sections if section.page == RUNBOOK and section.level == 3]


@pytest.mark.parametrize(
    ("topic", "page", "title"),
    [
        ("SerendipStoreAway", "runbook", "SerendipStoreAway"),
        ("storeaway", "runbook", "SerendipStoreAway"),
        ("lost secret", "runbook", "A lost secret"),
        ("partition", "runbook", "A partition"),
        ("letter of a court", "runbook", "A letter of a court"),
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


def printed(text: str) -> list[str]:
    """Return the commands of a page, in blocks and within lines, each with the lines that continue it."""
    blocks = re.findall(r"(?m)^ {4,}((?:.*\\\n)*.*)$", text)
    spans = re.findall(r"`([^`]+)`", re.sub(r"(?m)^ {4,}.*$", "", text))
    lines = [re.sub(r"\s*\\?\n\s*", " ", block) for block in (*blocks, *spans)]
    return [found for line in lines for found in COMMAND.findall(line.partition("  #")[0].replace("\\|", "|"))]


def unknown(command: str) -> list[str]:
    """Return the verbs and options of a printed command that the program does not have."""
    words = re.split(r"\s[|>&;]|;|  ", re.sub(r"[\[\]]", "", command))[0]
    try:
        parts = shlex.split(words)
    except ValueError:  # a quoted text that the manual cut short
        parts = words.split()
    at: Any = get_command(app)
    wrong: list[str] = []
    while parts and hasattr(at, "commands") and not parts[0].startswith("-"):
        names = parts.pop(0).strip(",.:").split("|")
        wrong += [name for name in names if name not in {*at.list_commands(NOTHING), *PROCESSES}]
        if len(names) > 1 or wrong or names[0] in PROCESSES:
            return wrong
        _, at, _ = at.resolve_command(NOTHING, names)
    options = {name for one in at.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
    given = {option for part in parts for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", part)}
    return wrong + sorted(given - options)


@pytest.mark.parametrize("page", sorted(manual().pages))
def test_the_program_has_every_verb_and_option_that_the_manual_prints(page: str) -> None:
    commands = printed(manual().pages[page])
    assert [(command, wrong) for command in commands if (wrong := unknown(command))] == []


def test_a_verb_and_an_option_that_the_program_lacks_are_found() -> None:
    text = "Call `serendip privacy order lose N` or\n\n    $ serendip privacy order new --kind x \\\n        --colour red  # no\n"
    assert [unknown(command) for command in printed(text)] == [["--colour"], ["lose"]]
