"""Have the moderation programs of each host work during a soak: two of a host send each other a picture, and the lines that it screened are counted.

**Invariant:** a picture counts only when the partner's client fetched it, which a server with `pictures.in_chat=checked` allows after the picture
process of that host gave its verdict, and not without one.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from serendip_client import Client, Disconnected, Error, Matched, Picture, PicturesAllowed
from tests.cluster.rig import PORT, Cluster, Host
from tests.support import scenes

SETTINGS: Final = {"SERENDIP_PICTURES__IN_CHAT": "checked", "SERENDIP_SCREENING__TEXT": "all"}
LOOK_S: Final = 120.0  # until a host has judged a picture: its program loads a model first
ATTEMPT_S: Final = 30.0  # of one chat
RETRY_S: Final = 1.0  # to the next attempt while a program starts
SCREENED: Final = re.compile(r"^serendip_screening_lines_total (\S+)$", re.M)


@dataclass(slots=True)
class Looks:
    """What the programs of each host did, by the host's name."""

    judged: Counter[str] = field(default_factory=Counter)  # pictures
    screened: Counter[str] = field(default_factory=Counter)  # lines
    failed: list[str] = field(default_factory=list)
    _counted: dict[str, float] = field(
        default_factory=dict
    )  # the counters' last values, which a process that died takes along

    async def look(self, cluster: Cluster, word: str) -> None:
        """Have each host judge a picture, and count the lines that it screened since the last call. `word`: not used before."""
        await asyncio.gather(*[self._judge(host, word) for host in cluster.hosts])
        for host in cluster.hosts:
            try:
                self.count(host.name, await asyncio.to_thread(screened, host))
            except OSError as error:
                self.failed.append(f"{host.name}, {word}: no metrics ({error!r})")

    async def _judge(self, host: Host, word: str) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                for attempt in itertools.count():
                    if await _is_seen(host, f"{word} {host.name} {attempt}"):
                        self.judged[host.name] += 1
                        return
        except TimeoutError:
            self.failed.append(f"{host.name}, {word}: no picture was judged")

    def count(self, name: str, value: float) -> None:
        """Add what a host's counter of screened lines grew by since the last value; a lower one began anew."""
        before = self._counted.get(name, 0.0)
        self.screened[name] += int(value - before if value >= before else value)
        self._counted[name] = value

    def verdicts(self, names: list[str]) -> dict[str, bool]:
        """Return a verdict for each host, and one for all attempts."""
        found = {
            f"{name}: {self.judged[name]:,} pictures judged, {self.screened[name]:,} lines screened": self.judged[name]
            > 0
            and self.screened[name] > 0
            for name in names
        }
        return found | {f"no picture judged in time: {self.failed}": not self.failed}


def screened(host: Host) -> float:
    """Return the lines that the screening processes of a host looked at."""
    port = host.server.events("metrics.ready")[-1]["port"]  # a frontend that was started again has another
    with urllib.request.urlopen(f"http://{host.machine.public}:{port}/metrics", timeout=LOOK_S) as said:
        found = SCREENED.search(said.read().decode())
    return float(found[1]) if found else 0.0


async def _is_seen(host: Host, word: str) -> bool:
    """Send a harmless picture from one client of a host to another; whether it arrived."""
    url, picture = f"ws://{host.machine.public}:{PORT}/ws", scenes.jpeg(scenes.scene(1, (640, 480)))
    try:
        async with asyncio.timeout(ATTEMPT_S), Client(url) as one, Client(url) as two:
            for client in (one, two):
                await client.find([word], strict=True, pictures=True)
            for client in (one, two):
                await client.next(Matched)
                await client.allow_pictures()
            if type(await one.next(PicturesAllowed, Error)) is Error:  # the program is not ready yet
                await asyncio.sleep(RETRY_S)
                return False
            await one.send_picture(picture)
            if type(await one.next(Picture, Error)) is Error:  # it has no verdict
                return False
            shown: Picture = await two.next(Picture)
            return await two.fetch_picture(shown.key) == picture
    except (TimeoutError, ConnectionError, Disconnected):
        return False
