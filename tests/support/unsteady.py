"""Run failed tests once more, each in a process of its own, to find those that fail occasionally.

**Invariant:** a test that fails twice fails the run. One that passes the second time is printed as unsteady, and is no failure as long as
there are at most `FORGIVEN`. A crashed worker is never forgiven. pytest's closing line and exit status show the result: an unsteady test
counts as `unsteady`, neither as passed nor as failed.
"""

import subprocess
import sys
from collections.abc import Iterator

import pytest

FORGIVEN = 2  # more have a common cause, which is not chance
TRIED = 10  # more failures are a fault of the change: running them again is pointless
CRASHED = "???"  # xdist's name of the phase if a test's process is gone
NAME = __name__


class Again:
    """Runs failed tests again at the end. With xdist only in the controlling process."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._unsteady: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """Remove failures that pass by themselves from pytest's count, if they are few."""
        result = yield
        failed = self._failed()
        if len(failed) <= TRIED:
            self._unsteady = [test for test, forgivable in failed.items() if forgivable and self._passes(test)]
        if len(self._unsteady) <= FORGIVEN:
            session.testsfailed -= self._forgive()
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the unsteady tests."""
        if not self._unsteady:
            return
        terminalreporter.section("unsteady tests: failed at first, passed by themselves", yellow=True)
        for report in self._stats.get("unsteady", []):
            report.toterminal(terminalreporter._tw)
        for test in self._unsteady:
            terminalreporter.write_line(f"UNSTEADY {test}", yellow=True)
        if len(self._unsteady) > FORGIVEN:
            terminalreporter.write_line(f"more than {FORGIVEN} are unsteady: the run fails", red=True)

    @property
    def _stats(self) -> dict[str, list[pytest.TestReport]]:
        """Return the reports by outcome, from which the closing line is made."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None
        return reporter.stats  # type: ignore[no-any-return]

    def _failed(self) -> dict[str, bool]:
        """Return the failed tests, and whether they may be forgiven."""
        found: dict[str, bool] = {}
        for report in [*self._stats.get("failed", []), *self._stats.get("error", [])]:
            if not isinstance(report, pytest.TestReport):
                continue  # a failed collection belongs to no test
            found[report.nodeid] = found.get(report.nodeid, True) and report.when != CRASHED
        return found

    def _passes(self, test: str) -> bool:
        """Run one test in a process of its own."""
        command = [sys.executable, "-m", "pytest", "-q", "-p", f"no:{NAME}", "-p", "no:cacheprovider", test]
        done = subprocess.run(
            command, cwd=self._config.rootpath, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        return done.returncode == 0

    def _forgive(self) -> int:
        """Move the reports of unsteady tests to their own heading; return how many pytest had counted."""
        moved: list[pytest.TestReport] = []
        for outcome in ("failed", "error"):
            reports = self._stats.pop(outcome, [])
            moved += [report for report in reports if report.nodeid in self._unsteady]
            if left := [report for report in reports if report.nodeid not in self._unsteady]:
                self._stats[outcome] = left
        if moved:
            # One per test: its first failure.
            self._stats["unsteady"] = list({report.nodeid: report for report in reversed(moved)}.values())
        return len(moved)


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin, but not in a worker, under a debugger or if tests are only listed."""
    if hasattr(config, "workerinput") or config.option.usepdb or config.option.collectonly:
        return
    config.pluginmanager.register(Again(config), "again")
