"""Run the scenarios of the JavaScript client in Deno and Bun, of their packages in npm's registry; Node is in test_scenarios.py."""

import json
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLIENT = ROOT / "client" / "js"
PACKAGES = {
    "deno": ("@deno/linux-x64-glibc@2.9.6", "deno", ("run", "-A")),
    "bun": ("@oven/bun-linux-x64@1.4.5", "bin/bun", ()),
}


@pytest.fixture(params=PACKAGES)
def runtime(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The command of a runtime; the test is skipped where the registry has none for this machine."""
    package, program, words = PACKAGES[request.param]
    install = [
        "npm",
        "install",
        "--silent",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--fetch-retries=0",
        package,
    ]
    done = subprocess.run(install, cwd=tmp_path, capture_output=True, timeout=90, check=False)
    if done.returncode:
        pytest.skip(f"npm has no {package} here")
    return [str(tmp_path / "node_modules" / package.rpartition("@")[0] / program), *words]


@pytest.mark.timeout(180)
def test_each_scenario_and_each_promise_holds(runtime: list[str]) -> None:
    scenarios = [*runtime, str(HERE / "scenarios.mjs"), str(CLIENT), str(ROOT / "client/scenarios.json")]
    done = subprocess.run(scenarios, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(json.loads((ROOT / "client/scenarios.json").read_text()))
    assert [one for one in told if one["wrong"]] == []
    promises = [*runtime, str(HERE / "testing.mjs"), str(CLIENT)]
    done = subprocess.run(promises, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["all held"]), done.stdout + done.stderr
