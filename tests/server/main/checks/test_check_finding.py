"""The worst of the levels is a status of the program."""

from server.main.checks.check_finding import Level, error, ok, warning


def test_levels_are_statuses_and_words() -> None:
    found = [ok("a", "x"), warning("b", "x", "y"), error("c", "x", "y")]
    assert [(one.level.value, one.level.word) for one in found] == [(0, "ok"), (1, "warning"), (2, "error")]
    assert max(one.level for one in found) is Level.ERROR
