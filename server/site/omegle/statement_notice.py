"""Notify clients of a coming privacy statement by a sentence in a chat.

**Invariant:** once per user; a client without a randid gets it in each chat.
"""

import datetime
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from server.site.omegle import omegle_events
from server.site.omegle.omegle_client import Client

TOLD_MAX: Final = 5_000  # users remembered as informed; beyond, the oldest are informed once more


class Announced:
    """Record of informed users. `statement`: the newest announced one, its `version` and `from` in Unix seconds; None if none is announced."""

    def __init__(self, statement: Callable[[], Mapping[str, Any] | None]) -> None:
        self._statement = statement
        self._informed: OrderedDict[int, str] = OrderedDict()  # user to version

    def sentence(self, client: Client) -> str:
        """Return the sentence for a client; "" for none."""
        told = self._statement()
        if told is None or told["from"] <= time.time() or self._informed.get(client.person) == told["version"]:
            return ""
        if client.person:
            self._informed[client.person] = told["version"]
            while len(self._informed) > TOLD_MAX:
                self._informed.popitem(last=False)
        day = datetime.datetime.fromtimestamp(told["from"], datetime.UTC).date().isoformat()
        return omegle_events.changes(client.host, told["version"], day)
