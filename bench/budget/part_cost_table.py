"""Compute microseconds per part from the measured CPU time and the instruction counts, and format them as a table. The parts of a chat add up to
the measured time.

The kernel's part is the system time, the garbage collector's is its counter, screening's the time of its process; the rest of the user time is
divided by instructions.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

from bench.budget.instruction_counts import Counted
from bench.budget.parts import ASKED, BESIDE, GARBAGE, KERNEL, PARTS, REST
from bench.support.documents import short, table

OPEN: Final = "on open connections"
FRESH: Final = "with connects"


def a_chat(stays: Counted, comes: Counted) -> dict[str, dict[str, float]]:
    """Return instructions by part of a chat on open connections, and of one with its connects.

    Connects at the beginning weigh in a short window: both windows mix chats and connects, so the two counts are separated.
    """
    across = stays.chats * comes.connects - stays.connects * comes.chats
    found: dict[str, dict[str, float]] = {OPEN: {}, FRESH: {}}
    for part in sorted(stays.parts.keys() | comes.parts.keys()):
        here, there = stays.parts.get(part, 0), comes.parts.get(part, 0)
        found[OPEN][part] = max(0.0, (here * comes.connects - there * stays.connects) / across)
        found[FRESH][part] = there / comes.chats
    return found


def shared(clock: Mapping[str, float], instructions: Mapping[str, float]) -> dict[str, float]:
    """Divide the microseconds of a chat by part. `clock`: of a chat; `instructions`: by part."""
    whole = sum(instructions.values())
    user = max(0.0, clock["user_us"] - clock["garbage_us"])
    found = {part: user * count / whole for part, count in instructions.items()}
    return {**found, KERNEL: clock["system_us"], GARBAGE: clock["garbage_us"], BESIDE: clock["beside_us"]}


def middle(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return medians over the runs, the `spread`, and the shares of user, system, garbage and the processes beside it of all.

    One run's clock is too coarse for these shares.
    """
    costs = [run["chat_us"] for run in runs]
    cost, whole = median(costs), sum(costs)
    shares = {
        name: cost * sum(run[name] for run in runs) / whole
        for name in ("user_us", "system_us", "garbage_us", "beside_us")
    }
    rest = {name: median(run[name] for run in runs) for name in ("window_us", "reads", "sends", "connects_a_chat")}
    return {"chat_us": cost, "spread": max(costs) - min(costs), **shares, **rest}


def chats(
    runs: Mapping[str, Sequence[Mapping[str, float]]], windows: Mapping[str, Counted]
) -> dict[str, dict[str, Any]]:
    """Return both kinds of chat, as they are kept. `runs`: by clock."""
    found = {}
    for name, instructions in a_chat(windows[OPEN], windows[FRESH]).items():
        clock = middle(runs[name])
        found[name] = {**clock, "instructions": instructions, "parts": shared(clock, instructions)}
    return found


def lines(document: Mapping[str, Any]) -> str:
    """Return the table and its conditions."""
    kinds = document["chats"]
    counted = all(BESIDE in kind["parts"] for kind in kinds.values())  # else of the server's own process alone
    left_out = (ASKED, REST) if counted else (ASKED, REST, BESIDE)
    shown = [part for part in PARTS if part not in left_out] + [REST]
    rows = [
        [part, *(cell for kind in kinds.values() for cell in cells(kind, part)), PARTS[part].bounds] for part in shown
    ]
    whole = [
        cell
        for kind in kinds.values()
        for cell in (f"**{kind['chat_us']:.1f}**", thousands(kind["instructions"].values()))
    ]
    rows.append(["**a chat**", *whole, ""])
    head = ["part", *(word for name in kinds for word in (f"{name}: µs", "1,000 instructions")), "what bounds it"]
    machine, clients = document["machine"], document["clients"]
    spread = "; ".join(
        f"{name}: {kind['chat_us']:.1f} µs, spread {kind['spread']:.1f}, {kind['window_us']:.1f} in the load's own window, "
        f"{kind['reads']:.1f} reads and {kind['sends']:.1f} sends"
        for name, kind in kinds.items()
    )
    return (
        f"{table(head, rows)}\n`python -m bench budget`: CPU of all {'processes' if counted else 'threads'} until every record is written, "
        f"the median of {document['rounds']} rounds "
        f"of {document['seconds']} s, {clients} clients, a message each ({spread}). Instructions over {document['counted'][0]:,.0f} and "
        f"{document['counted'][1]:,.0f} chats. {machine['cpu']}, {machine['cores']} cores, server on one; {machine['interpreter']}, a turn "
        f"of a plain loop {machine['loop_ns']:.0f} ns; load before: "
        f"{machine['load']:.1f}; {machine['date']}.\n"
    )  # fmt: skip


def cells(kind: Mapping[str, Any], part: str) -> tuple[str, str]:
    """Return microseconds and thousands of instructions; the latter only if counted."""
    count = kind["instructions"].get(part)
    return short(kind["parts"].get(part, 0.0)), "" if count is None else thousands([count])


def thousands(counts: Any) -> str:
    """Format thousands of instructions."""
    return f"{sum(counts) / 1000:.1f}"
