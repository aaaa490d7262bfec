"""Test that workers share the first reading of test files, and read the same tests."""

from pathlib import Path

import pytest

from tests.support.shares import share

ROOT = Path(__file__).resolve().parents[2]
# Notes for the process that reads it what it read, in that order.
NOTED = """
import os
from pathlib import Path
with Path(__file__).with_name(os.environ["PYTEST_XDIST_WORKER"]).open("a") as file:
    file.write(f"{Path(__file__).name}\\n")
def test_it():
    found = 1
    assert found == 2
"""


def test_each_file_is_in_one_share() -> None:
    files = [Path(f"test_{number}.py") for number in range(11)]
    shares = [share(files, f"gw{number}", 4) for number in range(4)]
    assert sorted(path for one in shares for path in one) == sorted(files)
    assert {len(one) for one in shares} == {2, 3}


def test_each_worker_begins_with_its_own_share_and_all_read_all_once(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest('pytest_plugins = ["xdist.plugin", "tests.support.shares"]\n')
    pytester.makeini("[pytest]\ntestpaths = checks\n")
    folder = pytester.mkpydir("checks")
    for number in range(2):
        folder.joinpath(f"test_{number}.py").write_text(NOTED)
    folder.joinpath("test_broken.py").write_text("raise RuntimeError('it was read')\n")
    done = pytester.runpytest_subprocess("-n", "2", "-W", "ignore", "-p", "no:cacheprovider")
    done.stdout.fnmatch_lines(["*RuntimeError: it was read*"])
    assert folder.joinpath("gw0").read_text().split() == ["test_0.py", "test_1.py"]
    assert folder.joinpath("gw1").read_text().split() == ["test_1.py", "test_0.py"]
    folder.joinpath("test_broken.py").unlink()
    done = pytester.runpytest_subprocess("-n", "2", "-W", "ignore", "-p", "no:cacheprovider")
    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines(["E*assert 1 == 2"])
