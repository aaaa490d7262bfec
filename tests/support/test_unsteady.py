"""Test that a failed test is run once more alone, and that the result is printed, counted and in the exit status."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STEADY = "def test_steady():\n    pass\n"
BROKEN = "def test_broken():\n    assert 1 == 2\n"
# Each fails in the first process that runs it and leaves a mark by which the second passes.
UNSTEADY = """
from pathlib import Path

def test_unsteady_{0}():
    mark = Path(__file__).with_suffix(".{0}")
    seen = mark.exists()
    mark.touch()
    assert seen, "failed of {0}"
"""
CRASHING = "import os\n\n" + UNSTEADY.replace("assert seen", "seen or os._exit(3)").format("crash")
ONE: list[str] = []
WORKERS = ["-p", "xdist", "-n2"]
either = pytest.mark.parametrize("run", [ONE, WORKERS], ids=["one process", "workers"], indirect=True)


class Run:
    """How a folder of tests is run."""

    def __init__(self, pytester: pytest.Pytester, options: list[str]) -> None:
        self._pytester = pytester
        self._options = options

    def __call__(self, *sources: str, options: tuple[str, ...] = ()) -> pytest.RunResult:
        """Each source is a file."""
        self._pytester.makepyfile(**{f"test_{number}": source for number, source in enumerate(sources)})
        return self._pytester.runpytest_subprocess("-p", "no:cacheprovider", *self._options, *options)


@pytest.fixture
def run(request: pytest.FixtureRequest, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs sources as tests, with the plugin; in one process, where the test has no other parameter."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # each process would load a dozen, and uses none
    pytester.makeconftest('pytest_plugins = ["tests.support.unsteady"]\n')
    return Run(pytester, getattr(request, "param", ONE))


def test_nothing_is_said_of_steady_tests(run: Run) -> None:
    done = run(STEADY)
    assert done.ret == pytest.ExitCode.OK
    assert done.parseoutcomes() == {"passed": 1}
    done.stdout.no_fnmatch_line("*unsteady*")


@either
def test_an_unsteady_test_is_named_with_its_failure_and_the_run_passes(run: Run) -> None:
    done = run(STEADY, UNSTEADY.format("one"), UNSTEADY.format("two"))
    assert done.ret == pytest.ExitCode.OK
    assert done.parseoutcomes() == {"passed": 1, "unsteady": 2}
    done.stdout.fnmatch_lines(["*failed of one*", "UNSTEADY test_1.py::test_unsteady_one"])
    done.stdout.fnmatch_lines(["UNSTEADY test_2.py::test_unsteady_two"])


@either
def test_three_unsteady_tests_fail_the_run(run: Run) -> None:
    done = run(STEADY, *(UNSTEADY.format(name) for name in ("one", "two", "three")))
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    assert done.parseoutcomes() == {"passed": 1, "failed": 3}
    done.stdout.fnmatch_lines_random([f"UNSTEADY test_?.py::test_unsteady_{name}" for name in ("one", "two", "three")])


@either
def test_what_fails_again_fails_the_run_beside_what_is_unsteady(run: Run) -> None:
    done = run(STEADY, BROKEN, UNSTEADY.format("one"))
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    assert done.parseoutcomes() == {"passed": 1, "failed": 1, "unsteady": 1}
    done.stdout.fnmatch_lines(["FAILED test_1.py::test_broken*"])
    done.stdout.no_fnmatch_line("UNSTEADY test_1.py*")


def test_a_failure_after_the_test_is_tried_again_too(run: Run) -> None:
    fixture = "import pytest\n\n@pytest.fixture(autouse=True)\ndef after():\n    yield\n"
    body = UNSTEADY.format("one").replace("\n", "\n    ").replace("def test_unsteady_one():", "if True:")
    done = run(fixture + body + "\n\ndef test_steady():\n    pass\n")
    assert done.ret == pytest.ExitCode.OK
    assert done.parseoutcomes() == {"passed": 1, "unsteady": 1}


def test_many_failures_are_not_run_again(run: Run) -> None:
    done = run(*(UNSTEADY.format(f"n{number}") for number in range(11)))
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    assert done.parseoutcomes() == {"failed": 11}


def test_a_run_that_stops_at_the_first_failure_runs_nothing_again(run: Run) -> None:
    done = run(UNSTEADY.format("one"), options=("-x",))
    assert done.ret != pytest.ExitCode.OK
    done.stdout.no_fnmatch_line("UNSTEADY*")


@pytest.mark.parametrize("run", [WORKERS], ids=["workers"], indirect=True)
def test_a_worker_that_crashed_is_not_forgiven(run: Run) -> None:
    done = run(STEADY, CRASHING)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.no_fnmatch_line("UNSTEADY*")
