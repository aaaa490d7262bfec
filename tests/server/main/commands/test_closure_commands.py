"""Rehearse the page docs/operate/close.md: hand the data over sealed, open it elsewhere, and close the service, on both databases."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from server.data.database import folder_lock
from server.data.retention import legal_holds
from server.data.retention.legal_holds import Selector
from server.ops.config.settings import Objects
from tests.server.data.conftest import Kit, ended, make_kit, people, transcript
from tests.server.main.commands.conftest import Run
from tests.server.trust.legal_orders.orders import officers
from tests.server.trust.moderation.people import cases, pictures, reported, text
from tests.support import services
from tests.support.forkserver import START
from tests.support.stores import ANEW

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs/operate/close.md"
DAY = 86_400
Shell = Callable[..., str]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'data' / 'serendip.db'}"
    cluster: services.Postgres = request.getfixturevalue("cluster")
    cluster.sql(ANEW)
    return cluster.url("postgres")


def shell_of(folder: Path, data: Path, url: str) -> Shell:
    """Return a function that runs a line of the page in `folder`, as an operator would."""
    bin_ = folder / "bin"
    bin_.mkdir(exist_ok=True)
    program = bin_ / "serendip"
    program.write_text(f"#!{sys.executable}\n{START}\n")
    program.chmod(0o755)
    surroundings = os.environ | {
        "PATH": f"{bin_}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "SERENDIP_DATA": str(data), "COLUMNS": "200", "DATA": str(data),
    }  # fmt: skip
    if not url.startswith("sqlite"):
        surroundings["SERENDIP_STORE__URL"] = url.replace("postgresql+asyncpg", "postgresql")

    def run(line: str, status: int = 0, **more: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line], cwd=folder, env=surroundings | more, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def kit_of(url: str, data: Path) -> Kit:
    kit = make_kit(url, data, Objects())
    kit.now = time.time()
    return kit


async def fill(kit: Kit) -> str:
    """Store chats, a saved log and a case of today. Return the log's address."""
    now = time.time()
    kit.pseudonyms.epochs.make(int(now) // (30 * DAY))
    await kit.write(ended(1, now=now), ended(2, 33, 44, now=now))
    saved = await kit.logs.save(transcript("hello", "a secret"), people())
    await cases(kit).take(reported(at=int(now), said=text("buy this"), shown=pictures(int(now))))
    await kit.database.close()
    return saved.log


def lines_of(heading: str) -> list[str]:
    """Return the commands of the page under a heading."""
    section = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line[4:] for line in section.splitlines() if line.startswith("    ")]
    return [re.sub(r"\s+#.*", "", line).strip() for line in lines]


def test_the_data_is_handed_over_sealed_and_opens_at_the_new_operator(tmp_path: Path, database: str) -> None:
    """The commands are those of the page, one by one."""
    data = tmp_path / "data"
    run = shell_of(tmp_path, data, database)
    run("serendip init; serendip db migrate")
    log = asyncio.run(fill(kit_of(database, data)))
    public = {}
    for name in ("NEW", "COURIER"):
        run(f"age-keygen -o {name}.key 2> {name}.out")
        public[name] = re.search(r"age1\w+", (tmp_path / f"{name}.out").read_text())[0]  # type: ignore[index]
    given = {"NEW": public["NEW"], "COURIER": public["COURIER"], "TO": "New Operator AS", "LINE": "1"}
    for line in lines_of("Hand the data over"):
        if not line.startswith(("systemctl", "serendip privacy announce")):
            run(line, **given)
    sent = sorted(file.name for file in (tmp_path / "handover").iterdir())
    assert sent == ["SHA256SUMS", "database.age", "keys.tar.age", "objects.tar.age"]
    assert not any(b"a secret" in file.read_bytes() for file in (tmp_path / "handover").iterdir())
    ledger = json.loads(run("serendip privacy ledger list --json"))
    assert [(line["phase"], line["what"], line["recipient"]) for line in ledger][-2:] == [
        ("done", "transfer", "New Operator AS"), ("intent", "transfer", "New Operator AS"),
    ]  # fmt: skip

    if not database.startswith("sqlite"):
        run(f"psql -q '{database.replace('+asyncpg', '')}' -c 'DROP SCHEMA public CASCADE' -c 'CREATE SCHEMA public'")
    there = tmp_path / "there"
    there.mkdir(mode=0o700)
    shutil.copytree(tmp_path / "handover", tmp_path / "new" / "handover")
    elsewhere = f"sqlite+aiosqlite:///{there / 'serendip.db'}" if database.startswith("sqlite") else database
    run = shell_of(tmp_path / "new", there, elsewhere)
    for line in lines_of("Open it"):
        run(line, NEW_KEY=str(tmp_path / "NEW.key"), COURIER_KEY=str(tmp_path / "COURIER.key"))
    assert "a secret" in run(f"serendip log show {log} --why 'a rehearsal'")
    assert "1 lines" in run("serendip privacy ledger verify")
    assert '"differences": []' in run("serendip db check --json")


def test_a_service_is_closed_with_a_proof_and_its_keys_go_last(tmp_path: Path, database: str) -> None:
    data = tmp_path / "data"
    run = shell_of(tmp_path, data, database)
    run("serendip init; serendip db migrate")
    kit = kit_of(database, data)

    async def held() -> None:
        await fill(kit)
        now = int(time.time())
        await officers(kit, "ada", "bob")
        await kit.objects.put("logs/of-an-interrupted-save", b"sealed")
        await kit.objects.put("elsewhere/of-another-program", b"not ours")
        await legal_holds.place(
            kit.database, kit.pseudonyms, Selector("identity", "11"), authority="a court", reason="7", now=now,
            until=now + 90 * DAY, secret=True,
        )  # fmt: skip
        await kit.database.close()

    asyncio.run(held())
    run("serendip privacy request new --kind complaint --by letter --text 'I wait' --why 'a letter'")
    close = "serendip privacy close --why 'the end'"
    assert "then say --yes" in run(close, 2)
    waits = run(f"{close} --yes", 1)
    assert "1 requests of people wait" in waits
    assert "nothing was removed" in waits
    seen = run(f"{close} --dry-run --json", 1)
    assert json.loads(seen[: seen.rindex("}") + 1])["left"]["party"] == 4
    number = json.loads(run("serendip privacy request list --json"))[0]["number"]
    run(f"serendip privacy request deny {number} --reason other --why 'the service ends'")
    with folder_lock.alone(data):
        assert "stop it first" in run(f"{close} --yes", 1)
    proof = json.loads(run(f"{close} --yes --json"))
    assert (proof["whole"], proof["problems"], proof["left"]["held_party"]) == (False, [], 1)
    assert proof["keys_destroyed"]
    assert (data / "secret").exists()
    assert [one["authority"] for one in proof["holds"]] == ["a court"]

    assert (proof["unnamed"], proof["foreign"]) == ({"logs": 1}, ["elsewhere/of-another-program"])

    produced_after(run, tmp_path)
    run("serendip privacy hold release 1 --why 'the court is done'")
    said = run(f"{close} --yes")
    assert "keys destroyed: keys/" in said
    assert re.search(r"receipt --key \S+\+", said)
    assert "held_party" not in said.split("rows that stay")[1]
    assert [file.name for file in (data / "keys").iterdir()] == []
    assert not (data / "secret").exists()
    records_read_after(run)
    assert [str(file.relative_to(data / "objects")) for file in (data / "objects").rglob("*") if file.is_file()] == [
        "elsewhere/of-another-program"
    ], "no object of ours, and no copy that nobody can open"


def records_read_after(run: Shell) -> None:
    """The records that stay are read without any key, and no command makes new ones."""
    assert "newest hash" in run("serendip privacy ledger verify")
    assert {entry["action"] for entry in json.loads(run("serendip privacy audit --json"))} >= {"close", "order produce"}
    assert [order["state"] for order in json.loads(run("serendip privacy order list --all --json"))] == ["produced"]
    assert "was closed" in run("serendip privacy close --why again --yes", 1)
    assert "was closed" in run("serendip serve --port 0", 1)  # another server may be on the usual one


def produced_after(run: Shell, folder: Path) -> None:
    """What the closure kept is produced by two officers at a shell: no host runs, so there is no console."""
    (folder / "paper").write_text("Who was it?")
    order = "serendip privacy order"
    said = run(
        f"{order} new --kind warrant --authority 'A court' --country no --categories A,F --identity 11 --paper paper --due 2030-01-01 --operator ada"
    )
    number = re.search(r"order (\S+):", said)
    assert number is not None
    produce = f"{order} produce {number[1]} --out answer --operator ada"
    assert "order confirm" in run(produce, 3)
    assert "another operator" in run(f"{order} confirm {number[1]} --operator ada", 1)
    run(f"{order} confirm {number[1]} --operator bob")
    run(produce)
    records = json.loads((folder / "answer" / "records.json").read_text())["records"]
    assert [row["address"] for row in records["addresses"]] != []
    assert all(row["address"] for row in records["addresses"]), "its key is still there"
    assert "1 lines" not in run("serendip privacy ledger verify")


def test_a_handover_is_ended_by_its_own_line_alone(serendip: Run) -> None:
    begun = ("privacy", "handover", "begin", "--categories", "A,F", "--why", "a sale", "--to")
    assert serendip(*begun, " ").exit_code == 1
    assert "line 1:" in serendip(*begun, "New Operator AS").stdout
    assert "no handover" in serendip("privacy", "handover", "end", "7").output
    assert serendip("privacy", "handover", "end", "1", "--failed").exit_code == 0
    assert serendip("privacy", "handover", "end", "1").exit_code == 1
    rows = json.loads(serendip("privacy", "ledger", "list", "--json").stdout)
    assert [(row["phase"], row["what"]) for row in rows] == [("failed", "transfer"), ("intent", "transfer")]
