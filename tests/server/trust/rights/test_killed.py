"""Test that a deletion killed at any of its steps ends as one that was not, and that its recipient gets one notice of it, or the same one twice."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.house.sources import ROOT
from tests.server.trust.rights.test_recipient_notices import Hook, hooks

__all__ = ["hooks"]


@pytest.mark.blocking  # runs a program and waits for it
@pytest.mark.timeout(300)
async def test_wherever_it_is_killed_it_ends_the_same(tmp_path: Path, hooks: dict[str, Hook]) -> None:
    hook = hooks["twice"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.server.trust.rights.killing", str(tmp_path), f"http://127.0.0.1:{hook.port}/hook",
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/client"},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0
    never, *killed = [json.loads(line) for line in said.splitlines()]
    del never["step"]
    assert (never["rows"]["party"], never["first sides"], never["rows"]["log"]) == (22, 1, 1)
    assert (never["states"], never["waits"], never["rows"]["doomed"]) == (["fulfilled"], 0, 0)
    assert never["objects"]["erasures"] > 2
    assert (never["told"], never["rows"]["disclosure"]) == ("told", 3), "the month's mark, an intent, its outcome"
    times = Counter(hook.ids)
    assert times[never.pop("notice")] == 1
    again = [times[one.pop("notice")] for one in killed]
    assert set(again) == {1, 2}
    assert again.count(2) <= 3, "the answer, its line in the ledger, or its state was lost"
    assert [one.pop("step") for one in killed] == list(range(1, len(killed) + 1))
    assert len(killed) > 30, "request, hiding, rows in steps, reports, cases, log, list, objects, end"
    for step, one in enumerate(killed, 1):
        assert one == never, step
