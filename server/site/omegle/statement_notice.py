"""The sentence about a privacy statement that is to come. Rule: once a person; who says nothing about who they are hears it in each chat."""

import datetime
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from server.site.omegle import omegle_events
from server.site.omegle.omegle_client import Client

TOLD_MAX: Final = 5_000  # persons who are remembered to have been told; then the oldest are told once more


class Announced:
    """`statement`: the newest that people are told of, its `version` and `from` in Unix seconds; None: there is none."""

    def __init__(self, statement: Callable[[], Mapping[str, Any] | None]) -> None:
        self._statement = statement
        self._informed: OrderedDict[int, str] = OrderedDict()  # person to version

    def sentence(self, client: Client) -> str:
        """What the client is to be told; "" for nothing."""
        told = self._statement()
        if told is None or told["from"] <= time.time() or self._informed.get(client.person) == told["version"]:
            return ""
        if client.person:
            self._informed[client.person] = told["version"]
            while len(self._informed) > TOLD_MAX:
                self._informed.popitem(last=False)
        day = datetime.datetime.fromtimestamp(told["from"], datetime.UTC).date().isoformat()
        return omegle_events.changes(client.host, told["version"], day)
