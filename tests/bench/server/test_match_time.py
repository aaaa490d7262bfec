"""People meet beside a load that talks at a stated rate, and the bench says how soon."""

import json
import subprocess
import sys

import pytest


@pytest.mark.timeout(120)
def test_meetings_beside_a_load_are_timed_and_nothing_is_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "meeting", "--connected", "200", "--messages", "400", "--seconds", "1"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["connected"] == 200
    assert 0 < found["messages_s"] <= 440  # paced: the rate that was asked for, or less on a busy machine
    assert found["busy"]["meetings"] >= 1
    assert found["busy"]["p50_ms"] > 0
