"""Accounts of the console at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.trust.console.console_server import write_origin
from tests.server.main.commands.conftest import Run


@pytest.fixture
def run(serendip: Run) -> Run:
    """Run `serendip console …` on a data folder of the test's own, migrated."""
    return lambda *words: serendip("console", *words)


def test_a_link_is_printed_and_the_account_is_listed(run: Run) -> None:
    link = run("invite", "ada", "--role", "admin", "--role", "lead").stdout
    assert link.startswith("http://localhost:9466/enrol/")
    assert len(link.strip().rpartition("/")[2]) == 22
    (found,) = json.loads(run("list", "--json").stdout)
    assert (found["name"], found["roles"], found["passkeys"]) == ("ada", "lead, admin", 0)
    assert link.strip().rpartition("/")[2] not in run("list").stdout


def test_the_link_is_where_browsers_reach_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERENDIP_CONSOLE__ORIGIN", "https://console.example")
    assert run("invite", "ada", "--role", "admin").stdout.startswith("https://console.example/enrol/")


def test_the_link_has_the_port_of_the_server_that_runs_whatever_the_shell_says(run: Run, tmp_path: Path) -> None:
    write_origin(tmp_path, "http://localhost:21417")
    assert run("invite", "ada", "--role", "admin").stdout.startswith("http://localhost:21417/enrol/")


def test_roles_are_changed_and_an_account_is_closed(run: Run) -> None:
    run("invite", "ada", "--role", "moderator")
    assert run("roles", "ada", "lead", "officer").stdout == "ada: lead, officer\n"
    assert json.loads(run("list", "--json").stdout)[0]["roles"] == "lead, officer"
    assert run("close", "ada").stdout == "ada: closed\n"
    assert json.loads(run("list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("invite", "ada"), "one role or more"),
        (("invite", "Ada B", "--role", "admin"), "A name has"),
        (("invite", "ada", "--role", "boss"), "the roles are"),
        (("close", "nobody"), "no such account"),
        (("roles", "nobody", "lead"), "no such account"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_1(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.exit_code == 1
    assert said in done.stderr
