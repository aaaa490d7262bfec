"""A public host starts only where somebody answers for it, and says in one line what is missing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.main.checks.public_host_requirements import missing, public_names, refusal
from server.main.cli import app
from server.ops.config.settings import Settings
from tests.server.data.privacy.drive import Running
from tests.server.site.web.servers import ROOT, WIDE
from tests.support.forkserver import START

PUBLIC: dict[str, Any] = {"server": {"hosts": "localhost,chat.example"}}
ANSWERED: dict[str, Any] = {"operator": {"name": "Example Ltd", "email": "p@chat.example"}}
NAMED = {"SERENDIP_OPERATOR__NAME": "Example Ltd", "SERENDIP_OPERATOR__EMAIL": "p@chat.example"}
ENV = {"SERENDIP_SERVER__HOSTS": "localhost,127.0.0.1,chat.example", "SERENDIP_SAFETY__UNATTENDED": "false"}


def of(*chosen: dict[str, Any]) -> Settings:
    tree: dict[str, Any] = {}
    for one in chosen:
        tree |= one
    return Settings.model_validate(tree)


@pytest.mark.parametrize(
    ("hosts", "public"),
    [
        ("localhost,127.0.0.1,[::1]", []),
        ("localhost,chat.example", ["chat.example"]),
        ("*", ["*"]),
        ("*.chat.example", ["*.chat.example"]),
        ("192.168.1.4", ["192.168.1.4"]),
    ],
)
def test_a_host_is_public_by_the_names_that_it_answers(hosts: str, public: list[str]) -> None:
    assert public_names(of({"server": {"hosts": hosts}})) == public


@pytest.mark.parametrize(
    ("chosen", "moderator", "steps"),
    [
        ([], False, []),
        ([PUBLIC], False, ["operator.name", "operator.email", "console invite"]),
        ([PUBLIC], True, ["operator.name", "operator.email"]),
        ([PUBLIC, ANSWERED], False, ["console invite"]),
        ([PUBLIC, ANSWERED], True, []),
        ([PUBLIC, {"operator": {"name": "Example Ltd", "address": "Street 1"}}], True, []),
        ([PUBLIC, {"operator": {"name": " ", "email": " "}}], True, ["operator.name", "operator.email"]),
        ([PUBLIC, ANSWERED, {"safety": {"moderated": True}}], False, []),
        ([PUBLIC, ANSWERED, {"store": {"enabled": False}}], False, ["store.enabled"]),
        ([PUBLIC, {"safety": {"unattended": True}}], False, []),
    ],
)
def test_each_setting_and_command_that_is_missing_is_named(
    chosen: list[dict[str, Any]], moderator: bool, steps: list[str]
) -> None:
    said = refusal(of(*chosen), has_moderator=moderator)
    assert bool(said) is bool(steps)
    for step in ("operator.name", "operator.email", "console invite", "store.enabled"):
        assert (step in said) is (step in steps)
    assert ("safety.unattended=true" in said) is bool(steps)
    assert set(missing(of(*chosen))) >= {step for step in steps if step.startswith("operator")}


def refused(data: Path, **settings: str) -> str:
    """What a server says that does not start."""
    done = subprocess.run(
        [sys.executable, "-c", START, "serve", "--port", "0", "--data", str(data)],
        cwd=ROOT, env={**WIDE, **ENV, **settings}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (said,) = {line for line in done.stderr.splitlines() if line.startswith("serendip: ")}
    return said


@pytest.mark.timeout(300)
@pytest.mark.blocking  # starts servers, and waits for them
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_public_server_starts_once_somebody_is_invited_to_read_reports(workers: str, tmp_path: Path) -> None:
    data, count = tmp_path / "data", {"SERENDIP_WORKERS": workers}
    said = await asyncio.to_thread(refused, data, **count)
    assert all(step in said for step in ("chat.example", "operator.name", "operator.email", "console invite"))
    said = await asyncio.to_thread(refused, data, **count, **NAMED)
    assert "operator" not in said
    run = CliRunner(env={"SERENDIP_DATA": str(data), **ENV, **NAMED})
    checked = await asyncio.to_thread(run.invoke, app, ["check"])
    assert checked.exit_code == 2
    assert "error    moderator this host is public" in checked.output
    invited = await asyncio.to_thread(run.invoke, app, ["console", "invite", "ada", "--role", "moderator"])
    assert "/enrol/" in invited.output
    checked = await asyncio.to_thread(run.invoke, app, ["check"])
    assert "warning  moderator who is to read reports was invited" in checked.output
    server = await asyncio.to_thread(
        lambda: Running(
            data, tmp_path / "server.ops.log", **{**ENV, **NAMED, **count, "SERENDIP_CONSOLE__ENABLED": "true"}
        )
    )
    try:
        await server.ready()
    finally:
        await asyncio.to_thread(server.stop)


def test_a_moderator_is_invited_before_the_first_start(tmp_path: Path) -> None:
    run = CliRunner(env={"SERENDIP_DATA": str(tmp_path / "data"), **ENV, **NAMED})
    mistyped = run.invoke(app, ["console", "invite", "ada", "--role", "admin"])
    assert (mistyped.exit_code, (tmp_path / "data").exists()) == (1, False)
    assert run.invoke(app, ["init"]).exit_code == 0
    assert "/enrol/" in run.invoke(app, ["console", "invite", "ada", "--role", "admin"]).output
    checked = run.invoke(app, ["check"])  # an admin reads no reports
    assert "error    moderator" in checked.output
