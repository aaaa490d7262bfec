"""A real host of several processes is upgraded: what the frontend has goes on, and each chat has one record, as with a server of one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.fleet.migrate.test_upgrade_programs import box as box
from tests.server.fleet.migrate.test_upgrade_programs import programs_and_checks_go_on
from tests.server.main.processes.test_process_group import HOST, Several
from tests.server.site.college.conftest import Box

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # runs a server and waits for it


async def test_programs_and_checks_go_on_and_each_chat_has_one_record(tmp_path: Path, box: Box) -> None:
    await programs_and_checks_go_on(tmp_path, box, Several, **{**HOST, "SERENDIP_STORE__ENABLED": "true"})
