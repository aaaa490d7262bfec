"""Test the React hooks of the JavaScript client: rendered twice over by StrictMode, against the fake server."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CLIENT = HERE.parents[1] / "client" / "js"


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package beside React, from the checkout or the registry; the test is skipped where neither has it."""
    if (CLIENT / "node_modules" / "react-test-renderer").exists():
        return CLIENT
    folder = tmp_path_factory.mktemp("npm") / "js"
    shutil.copytree(CLIENT, folder, ignore=shutil.ignore_patterns("node_modules"))
    command = ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--fetch-retries=0"]
    if subprocess.run(command, cwd=folder, capture_output=True, timeout=50, check=False).returncode:
        pytest.skip("npm cannot be reached, and client/js/node_modules is not there (make client)")
    return folder


def test_a_component_has_one_client_its_state_and_its_events(package: Path) -> None:
    command = ["node", str(HERE / "react.mjs"), str(package), str(package)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["all held"]), done.stdout + done.stderr
