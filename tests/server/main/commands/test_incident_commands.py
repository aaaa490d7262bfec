"""An operator publishes an incident and closes it, at the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.server.main.commands.conftest import Run


def test_an_incident_is_published_listed_and_closed(serendip: Run, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("A disk was lost.")
    some = ("privacy", "incident", "new", "--words", str(words), "--authority", "Datatilsynet", "--categories", "A,F")
    refused = serendip(*some[:-1], "A,Q")
    assert (refused.exit_code, len(refused.output.splitlines())) == (1, 1), refused.output
    made = serendip(*some, "--aware", "2026-01-01")
    assert made.exit_code == 0, made.output
    assert "notify Datatilsynet by 2026-01-04 00:00" in made.output
    late = serendip("privacy", "incident", "list", "--json")
    (one,) = json.loads(late.stdout[: late.stdout.rindex("]") + 1])
    assert (late.exit_code, one["words"]) == (1, "A disk was lost.")
    assert serendip("privacy", "incident", "close", one["number"]).exit_code == 1
    assert serendip("privacy", "incident", "close", one["number"], "--notified", "2026-01-02").exit_code == 0
    assert serendip("privacy", "incident", "list").exit_code == 0
