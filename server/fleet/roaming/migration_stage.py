"""Where one crossing to another host stands, by what was said and heard. Rule: nothing of it is ever undone.

ASKED ──► GOING ──► GIVEN
  │ └─► REFUSED └─► DOUBTFUL
  └──► BACK
"""

from __future__ import annotations

from enum import Enum, auto

from server.fleet.roaming.migration_target import GO, TOOK


class Stands(Enum):
    """Of a crossing; who has the people at each is said in `server.fleet.roaming.migration_source`."""

    ASKED = auto()
    GOING = auto()
    GIVEN = auto()
    BACK = auto()
    REFUSED = auto()
    DOUBTFUL = auto()


class Leg:
    """One crossing, from when MOVE is said; in one of the last four it is over."""

    def __init__(self) -> None:
        self.stands = Stands.ASKED

    def taken(self) -> bytes:
        """The home holds them; what is to be said."""
        self.stands = Stands.GOING
        return GO

    def refused(self) -> None:
        """It does not."""
        self.stands = Stands.REFUSED

    def heard(self, said: bytes) -> None:
        """It says something behind GO; nothing: an end."""
        self.stands = Stands.GIVEN if said == TOOK else Stands.DOUBTFUL

    def cut(self) -> None:
        """The connection ended, or was silent for too long."""
        if self.stands in (Stands.ASKED, Stands.GOING):
            self.stands = Stands.BACK if self.stands == Stands.ASKED else Stands.DOUBTFUL
