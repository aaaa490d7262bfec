"""Define the result of a check: severity, sentence and remedy. **Invariant:** a finding contains no secrets and no personal data."""

from enum import IntEnum
from typing import NamedTuple


class Level(IntEnum):
    """Severity; the worst of all findings is the exit status of `serendip check`."""

    OK = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        """The level as it is printed."""
        return self.name.lower()


class Finding(NamedTuple):
    """Result of a check. `check`: its subject; `remedy`: what to do, empty for nothing."""

    check: str
    level: Level
    said: str
    remedy: str = ""


def ok(check: str, said: str) -> Finding:
    """Return a finding without a problem."""
    return Finding(check, Level.OK, said)


def notice(check: str, said: str, remedy: str) -> Finding:
    """Return a finding without a problem that the operator has to know: it is logged at each start."""
    return Finding(check, Level.OK, said, remedy)


def warning(check: str, said: str, remedy: str) -> Finding:
    """Return a finding about a setup that works, but is not advisable."""
    return Finding(check, Level.WARNING, said, remedy)


def error(check: str, said: str, remedy: str) -> Finding:
    """Return a finding about something that does not work."""
    return Finding(check, Level.ERROR, said, remedy)
