"""What a check found. Rule: a sentence about this deployment, never a secret and nothing of a person's."""

from enum import IntEnum
from typing import NamedTuple


class Level(IntEnum):
    """How bad it is; the worst of all is the status of `serendip check`."""

    OK = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        """As it is printed."""
        return self.name.lower()


class Finding(NamedTuple):
    """`check`: what was looked at; `remedy`: what to do, empty where nothing is to be done."""

    check: str
    level: Level
    said: str
    remedy: str = ""


def ok(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, said)


def notice(check: str, said: str, remedy: str) -> Finding:
    """All is well, and there is something that the operator has to know: it is logged at each start."""
    return Finding(check, Level.OK, said, remedy)


def warning(check: str, said: str, remedy: str) -> Finding:
    """It works, and is not what one would want."""
    return Finding(check, Level.WARNING, said, remedy)


def error(check: str, said: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check, Level.ERROR, said, remedy)
