"""What an entry of the run-book prints as proof is what the program says, and the command beside it lets it through."""

import re
import subprocess

import orjson
import pytest

from server.ops.log import EVENTS, OWN
from server.ops.manual.manual import RUNBOOK, manual
from tests.grafana.test_boards import NAMES, unknown

PROOF = re.compile(r"(?m)^    \$ (?P<command>\S.*)\n(?P<printed>(?:    [^$\s].*\n|     .*\n)+)")
ENTRIES = [section for section in manual().sections if section.page == RUNBOOK and section.level == 3]
PROOFS = {one.title: (found["command"], found["printed"]) for one in ENTRIES if (found := PROOF.search(one.text))}
FILTERS = ("grep", "tail", "head", "sort")
FILTERED = {title: proof for title, proof in PROOFS.items() if "|" in proof[0]}


def lines(printed: str) -> list[str]:
    """The lines as the command prints them."""
    return [line.removeprefix("    ") for line in printed.splitlines()]


@pytest.mark.parametrize("title", FILTERED)
def test_what_is_printed_passes_the_filters_of_the_command(title: str) -> None:
    command, printed = FILTERED[title]
    filters = command.split(" | ", 1)[1]
    assert all(part.split()[0] in FILTERS for part in filters.split(" | ")), "another filter: run it here too"
    given = "".join(f"{line}\n" for line in lines(printed))
    done = subprocess.run(["sh", "-c", filters], input=given, capture_output=True, text=True, check=False, timeout=30)
    last = "tail -1" in filters or "head -1" in filters
    assert sorted(done.stdout.splitlines()) == sorted(lines(printed)[-1:] if last else lines(printed))


@pytest.mark.parametrize("title", PROOFS)
def test_metrics_and_lines_of_the_log_are_ones_that_the_program_has(title: str) -> None:
    for line in lines(PROOFS[title][1]):
        if line.startswith("serendip_"):
            assert re.split(r"[{ ]", line)[0] in NAMES
            assert unknown(line) == []
        elif line.startswith('{"time"'):
            fields = orjson.loads(line)
            assert fields["event"] in EVENTS
            assert set(fields) - OWN <= set(EVENTS[fields["event"]])
