"""Script the acts of hostile users, one function each, bounded in time and number. Each returns what succeeded and which defence stopped it."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from bench.hostile.scripted_client import PATIENCE, Gone, Stranger, meet

MOST: Final = 2_000  # tries of a script
LANGUAGE: Final = "gv"  # nobody ordinary looks for this one
APART: Final = "kw"  # nor for this one, of those who meet whom they want to
ACCOUNTS: Final = 8  # of the mass reporter: fewer than the searches that a person may make at once
NOT_IN: Final = "429"
BATCH: Final = 50  # frames of a flood that are sent at once
LINE: Final = "cheap pills, add me on snap: pills_4_u"
_numbers = count(1)


@dataclass
class Outcome:
    """`tried`: attempts; `through`: successes; `stopped`: number by defence; `after`: attempts, and seconds, before the first."""

    tried: int = 0
    through: int = 0
    stopped: Counter[str] = field(default_factory=Counter)
    after: tuple[int, float] | None = None
    begun: float = field(default_factory=time.monotonic)

    def stop(self, why: str, times: int = 1) -> None:
        """Note that it was stopped."""
        if times:
            self.stopped[why] += times
            if self.after is None:
                self.after = self.tried, time.monotonic() - self.begun

    def plain(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {"tried": self.tried, "through": self.through, "stopped": dict(self.stopped), "after": self.after}


@dataclass(frozen=True)
class Ground:
    """Target: the server on `port` of 127.0.0.1, until `end` (monotonic seconds)."""

    port: int
    end: float

    def over(self, outcome: Outcome) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.end or outcome.tried >= MOST


Script = Callable[[Ground], Awaitable[Outcome]]


def cookie() -> str:
    """Return a new made-up cookie."""
    return f"hostile-{next(_numbers)}".ljust(22, "_")


async def spam_from_one(ground: Ground) -> Outcome:
    """Spam from one address, with another cookie for each chat."""
    return await _spam(ground, 1)


async def spam_from_many(ground: Ground) -> Outcome:
    """Spam from 200 addresses of a rented /24."""
    return await _spam(ground, 200)


async def _spam(ground: Ground, addresses: int) -> Outcome:
    """Match two spammers at a time until they are refused; each success is a chat that an honest user could have had."""
    outcome = Outcome()
    while outcome.tried < MOST and not (ground.over(outcome) and NOT_IN in outcome.stopped):
        place = f"127.66.{addresses & 1}.{1 + outcome.tried // 2 % addresses}"
        two = [Stranger(place, cookie()) for _ in range(2)]
        try:
            for one in two:
                outcome.tried += 1
                await one.come(ground.port)
                one.send({"type": "find", "language": LANGUAGE})
                await one.until("matched", "waiting", "error")
                if one.codes:
                    raise Gone
            await two[0].until("matched")
            two[0].send({"type": "message", "text": LINE})
            await two[1].until("message")
            outcome.through += 1
        except Gone:
            for one in two:
                outcome.stop(one.refused, bool(one.refused))
                for code, times in one.codes.items():
                    outcome.stop(code, times)
        finally:
            for one in two:
                one.go()
    return outcome


async def mass_report(ground: Ground) -> Outcome:
    """Report one user as a minor from eight accounts of today, each on its own network; the victim searches again and again."""
    outcome = Outcome()
    victim = Stranger("127.69.0.1", cookie())
    await victim.come(ground.port)
    for number in range(ACCOUNTS):
        reporter, interest = Stranger(f"127.69.{1 + number}.1", cookie()), f"victim {number}"
        await reporter.come(ground.port)
        for each, hears in ((victim, "waiting"), (reporter, "matched")):
            each.send({"type": "find", "language": APART, "interests": [interest]})
            if (await each.until(hears, "error"))["type"] == "error":  # that is what the accounts are for
                outcome.through += 1
                break
        else:
            outcome.tried += 1
            reporter.send({"type": "report", "reason": "minor"})
            await reporter.until("reported")
            outcome.stop("no weight")
        reporter.go()
    victim.go()
    return outcome


async def claim(ground: Ground) -> Outcome:
    """Claim to be 14 to every partner."""
    outcome = Outcome()
    for number in range(4):
        one, two = Stranger(f"127.70.{number}.1", cookie()), Stranger(f"127.71.{number}.1", cookie())
        try:
            await meet(ground.port, one, two, language=APART, interests=[f"claim {number}"])
            outcome.tried += 1
            one.send({"type": "message", "text": "hi, i'm 14"})
            frame = await two.until("tip", "left")
            outcome.stop(f"tip {frame['kind']}" if frame["type"] == "tip" else f"left by {frame['by']}")
        finally:
            one.go()
            two.go()
    return outcome


async def flood_solutions(ground: Ground) -> Outcome:
    """Send solutions of challenges that were never made."""
    return await _flood(ground, 72, {"type": "solution", "kind": "altcha", "response": "x" * 800})


async def flood_seen(ground: Ground) -> Outcome:
    """Acknowledge notices that were never sent."""
    return await _flood(ground, 73, {"type": "seen", "id": "A" * 22})


async def flood_blocks(ground: Ground) -> Outcome:
    """Block every partner, again and again."""
    return await _flood(ground, 74, {"type": "block"}, chats=True)


async def flood_reports(ground: Ground) -> Outcome:
    """Report one chat again and again."""
    return await _flood(ground, 75, {"type": "report", "reason": "spam", "note": "x" * 900}, chats=True)


async def _flood(ground: Ground, network: int, frame: dict[str, Any], chats: bool = False) -> Outcome:
    """Send as many frames as possible, one connection after the other until it ends; `chats`: each chats with a second attacker."""
    outcome = Outcome()
    place, elsewhere = f"127.{network}.0.1", f"127.{network}.1.1"
    for number in range(MOST):
        if number and ground.over(outcome):
            break
        one, two = Stranger(place, cookie()), Stranger(elsewhere, cookie())
        outcome.tried += 1
        try:
            if chats:
                await meet(ground.port, one, two, language=APART, interests=[f"flood {network} {number}"])
            else:
                await one.come(ground.port)
            outcome.through += 1
            async with asyncio.timeout(PATIENCE):
                while not one.over and not (number and ground.over(outcome)):
                    one.send(frame, times=BATCH)
                    await one.drain()
                    await asyncio.sleep(0)  # what comes is heard
        except Gone:
            pass
        finally:
            with contextlib.suppress(Gone):
                await one.drain()
            for each in (one, two) if chats else (one,):
                outcome.stop(each.refused, bool(each.refused))
            for code, times in one.codes.items():
                outcome.stop(code, times)
            outcome.stop(str(one.closed), bool(one.closed))
            one.go()
            two.go()
    return outcome


SCRIPTS: Final[dict[str, Script]] = {
    "spam, another cookie each, 1 address": spam_from_one,
    "spam, another cookie each, 200 addresses": spam_from_many,
    "eight report one person": mass_report,
    "claims to be 14": claim,
    "flood of `solution`": flood_solutions,
    "flood of `seen`": flood_seen,
    "flood of `block`": flood_blocks,
    "flood of `report`": flood_reports,
}
