"""Check that the records of processing hold what Article 30(1) asks for, and say what is to be filled in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.data.privacy.registry import REGISTRY
from server.data.statement.processing_records import SUBJECTS, UNKNOWN, markdown, missing, processing_records
from server.main.cli import app
from server.ops.config.settings import Settings
from tests.server.data.statement.test_statement_document import EVERYTHING

OPERATOR = {"name": "Chat Ltd", "email": "privacy@chat.example", "address": "Street 1", "country": "Norway"}
FAR = {
    "name": "Far | Ltd",
    "kind": "mail",
    "country": "United States",
    "contract": "DPA of 2026",
    "safeguard": "clauses",
}


def test_every_item_is_in_an_activity_with_its_basis_recipients_and_time_limit() -> None:
    made = processing_records(Settings.model_validate(EVERYTHING))
    shown = {name for one in made["activities"] for name in one["data"]}
    assert shown == {REGISTRY.heading(item.key) for item in REGISTRY.items} == {one["name"] for one in made["data"]}
    assert all(one["kept"] and one["basis"] and one["subjects"] and one["places"] for one in made["data"])
    assert all(one["bases"] and one["categories"] and one["subjects"] for one in made["activities"])
    assert made["security"]
    keys = {item.key for item in REGISTRY.items}
    assert {key for key in keys if key.startswith("request")} <= set(SUBJECTS) <= keys


def test_what_is_off_is_not_in_it() -> None:
    names = [one["name"] for one in processing_records(Settings.model_validate({"video": {"enabled": False}}))["data"]]
    assert REGISTRY.heading("signal") not in names
    assert REGISTRY.heading("chat") in names


def test_what_the_settings_do_not_say_is_to_be_filled_in_and_listed() -> None:
    bare = processing_records(Settings())
    assert missing(bare) == ["name", "address", "email", "country", "every provider ([[recipients]])"]
    assert f"- name: {UNKNOWN}" in markdown(bare)
    half = {"operator": OPERATOR, "recipients": [FAR | {"contract": ""}]}
    assert missing(processing_records(Settings.model_validate(half))) == ["contract of Far | Ltd"]


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_prints_them(as_json: bool, tmp_path: Path) -> None:
    config = tmp_path / "serendip.toml"
    tables = [("[operator]", OPERATOR), ("[[recipients]]", FAR)]
    config.write_text(
        "".join(f"{head}\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in t.items()) for head, t in tables)
    )
    command = ["privacy", "records", "--config", str(config), "--data", str(tmp_path / "data")]
    done = CliRunner().invoke(app, [*command, "--json"] if as_json else command)
    assert done.exit_code == 0, done.output
    if as_json:
        assert json.loads(done.stdout)["controller"]["name"] == "Chat Ltd"
    else:
        assert (
            "| Far \\| Ltd | mail | United States | DPA of 2026 | standard contractual clauses (Article 46(2)(c)) |"
            in done.stdout
        )
        assert done.stderr == ""
