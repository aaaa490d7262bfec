"""What a process of a host is given as it is forked. Rule: all else it inherits, or is told."""

from __future__ import annotations

import socket
from typing import NamedTuple


class Birth(NamedTuple):
    """`up`: its end of the link to the supervisor; `begun`: whether its generation serves; `before`: for the office, the way to the one before."""

    up: socket.socket
    begun: bool = True
    before: socket.socket | None = None
