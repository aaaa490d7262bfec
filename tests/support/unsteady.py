"""Tests that fail now and then: each that failed is run once more, by itself, in a process of its own.

Rule: what fails twice fails the run. What passes the second time is printed as unsteady, and is no failure as long as
no more than `FORGIVEN` are. A worker that crashed is never forgiven. The closing line of pytest and its exit status say
what came of it: an unsteady test is counted as `unsteady`, neither as passed nor as failed.
"""

import subprocess
import sys
from collections.abc import Iterator

import pytest

FORGIVEN = 2  # more at once have one cause, which is not chance
TRIED = 10  # more failures than that are a fault of the change: no use in running them all again
CRASHED = "???"  # what xdist says in place of a phase where the process of a test is gone
NAME = __name__


class Again:
    """Runs again what failed, once everything ran. Only in the process that counts: with xdist, not in a worker."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._unsteady: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """Failures that pass by themselves are taken out of pytest's count, if there are few."""
        result = yield
        failed = self._failed()
        if len(failed) <= TRIED:
            self._unsteady = [test for test, forgivable in failed.items() if forgivable and self._passes(test)]
        if len(self._unsteady) <= FORGIVEN:
            session.testsfailed -= self._forgive()
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name them."""
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
        """What the closing line is made from: reports by outcome."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None
        return reporter.stats  # type: ignore[no-any-return]

    def _failed(self) -> dict[str, bool]:
        """The tests of which a phase failed, and whether they may be forgiven."""
        found: dict[str, bool] = {}
        for report in [*self._stats.get("failed", []), *self._stats.get("error", [])]:
            if not isinstance(report, pytest.TestReport):
                continue  # of a collection: no test is to blame
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
        """Move the reports of unsteady tests to a heading of their own; how many of pytest's count they are."""
        moved: list[pytest.TestReport] = []
        for outcome in ("failed", "error"):
            reports = self._stats.pop(outcome, [])
            moved += [report for report in reports if report.nodeid in self._unsteady]
            if left := [report for report in reports if report.nodeid not in self._unsteady]:
                self._stats[outcome] = left
        if moved:
            # One a test: what it failed of first.
            self._stats["unsteady"] = list({report.nodeid: report for report in reversed(moved)}.values())
        return len(moved)


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is run again in a worker, under a debugger or where tests are only listed."""
    if hasattr(config, "workerinput") or config.option.usepdb or config.option.collectonly:
        return
    config.pluginmanager.register(Again(config), "again")
