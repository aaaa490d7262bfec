"""Test that the JavaScript client loses and doubles no line when its connections are cut after random numbers of bytes, on a real server."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.server.site.web.servers import Server

HERE = Path(__file__).parent
CLIENT = HERE.parents[1] / "client" / "js"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("resumes", [40, 1_000])
def test_cuts_at_any_byte_cost_nothing(server: Server, resumes: int) -> None:
    command = ["node", str(HERE / "resumes.mjs"), str(CLIENT), str(server.port), str(resumes), "20261201"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=550, check=False)
    assert done.returncode == 0, done.stderr
    print(f"\n{done.stdout}")
    told = json.loads(done.stdout)
    assert told["resumes"] >= resumes
    assert told["said"] > resumes / 4
    assert (told["lost"], told["doubled"], told["swapped"], told["unsent"], told["over"]) == (0, 0, 0, 0, None)
