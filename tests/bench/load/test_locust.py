"""The Locust file: people of all three kinds meet and talk on a live server, and the figures come out of several processes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.support.serving import Serving

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = {
    "SERENDIP_SESSION__GRACE": "30",
    "SERENDIP_MATCHING__ANY_AFTER": "0.2",
    "SERENDIP_MATCHING__ANYONE_AFTER": "0.4",
}
NEEDED = {"connect", "find", "hop", "/start", "/events", "/", "/api/status"}


def printed(text: str) -> list[dict[str, Any]]:
    """What the processes print, a list each; those of the workers are empty."""
    found: list[dict[str, Any]] = []
    while text := text.strip():
        entries, end = json.JSONDecoder().raw_decode(text)
        found += entries
        text = text[end:]
    return found


@pytest.mark.timeout(120)
def test_users_like_people_meet_on_every_face_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    command = [
        sys.executable, "-m", "locust", "-f", "bench/load/locustfile.py", "--headless", "-u", "30", "-r", "30", "-t", "10s",
        "--processes", "2", "--json", "--html", str(report), "--exit-code-on-error", "0",
    ]  # fmt: skip
    with Serving(**SETTINGS) as server:
        done = subprocess.run(
            [*command, "--host", f"http://127.0.0.1:{server.port}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    entries = {entry["name"]: entry for entry in printed(done.stdout)}
    assert set(entries) >= NEEDED
    assert entries["find"]["num_requests"] > 0
    assert entries["hop"]["num_requests"] > 0
    assert not {"lost", "doubled"} & set(entries)  # the JSON leaves out what never came
    assert {name: entry["num_failures"] for name, entry in entries.items() if entry["num_failures"]} == {}
    assert "hop" in report.read_text()
