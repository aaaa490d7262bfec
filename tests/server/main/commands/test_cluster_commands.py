"""`serendip cluster check`, beside hosts that run."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from server.ops.security import secret_keys
from tests.server.fleet.cluster.test_together import hears, hosts, stands
from tests.server.fleet.nats.test_nats_bus import started
from tests.server.ops.process.test_unix_user_switch import serendip
from tests.server.site.web.servers import ROOT
from tests.support.forkserver import START

pytestmark = pytest.mark.blocking  # makes folders, waits for programs


async def test_two_hosts_that_are_one_service_are_well(tmp_path: Path) -> None:
    async with started() as nats, hosts(tmp_path, nats, 2) as (one, two):
        await hears(one, two)
        address = f"127.0.0.1:{one.data.parent.name}"
        command = [sys.executable, "-c", START, "cluster", "check", "--json", "--data", str(one.data)]
        settings = {"SERENDIP_CLUSTER__NATS": nats.url, "SERENDIP_CLUSTER__ADDRESS": address}
        ran = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env={**os.environ, **settings}, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await asyncio.wait_for(ran.communicate(), 30)
        found = json.loads(out)
        assert ([one["level"] for one in found], ran.returncode) == (["ok"] * 3, 0), found
        said = " ".join(one["said"] for one in found)
        assert f"this host {(await stands(one))['node']} at {address}: reached" in said


def test_a_host_that_is_alone_has_nothing_to_check(tmp_path: Path) -> None:
    secret_keys.load(tmp_path)
    told = serendip([], "cluster", "check", "--data", str(tmp_path))
    assert (told.returncode, "this host is alone" in told.stderr) == (2, True)
