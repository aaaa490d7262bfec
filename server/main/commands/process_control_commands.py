"""Implement `serendip status`, `drain` and `restart`, which control the processes of a running server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import typer

from server.main.commands.command_base import clean, print_json, say, table
from server.main.commands.upgrade_commands import answer, conclude
from server.ops.process import server_status

NOT_ALL: Final = 3


def status(data: Path, as_json: bool) -> None:
    """Print the status of the server of this folder. Exits with 0 if all processes serve, 1 if no server answers, 3 if one runs and not all serve."""
    last = answer(data, {"do": "status"}, show=False)
    if last.get("done") is not True:
        conclude(last, as_json)
    if as_json:
        print_json(last)
    else:
        say(clean(f"{last['phase']}, version {last['version']}, process {last['pid']}"))
        if "left" in last:
            say(clean(f"an upgrade runs: {last['left']} people are yet to go to the new processes"))
        table(
            ("process", "phase", "pid", "age", "people", "chats", "deaths", "links"),
            [_row(one, len(last["processes"]) - 1) for one in last["processes"]],
        )
        if "cluster" in last:
            _show(last["cluster"])
    raise typer.Exit(0 if serves(last) else NOT_ALL)


def serves(stands: Mapping[str, Any]) -> bool:
    """Whether each process serves, and has links to all others that run. Their reports are a second old: a process that is off may still be among
    the links.
    """
    there = {one["process"]: one for one in stands["processes"] if one["phase"] != server_status.OFF}
    whole = all(
        one["phase"] == server_status.READY and there.keys() <= {name, *one["links"]} for name, one in there.items()
    )
    return stands["phase"] == server_status.READY and whole


def _show(cluster: Mapping[str, Any]) -> None:
    """Print this host, and the others that it receives."""
    away = "" if cluster["away"] is None else f"; NATS is away: {cluster['away']}"
    say(clean(f"host {cluster['node']} at {cluster['address']} hears {len(cluster['others'])} others{away}"))
    owner = "here" if cluster["owner"] == cluster["node"] else f"at host {cluster['owner']}"
    apart = f"; {cluster['apart']} hosts have another, of another version" if cluster["apart"] else ""
    say(clean(f"the waiting room of all hosts is {owner}{apart}"))
    if cluster["others"]:
        table(("host", "address", "version", "state", "people", "clock"), [_host(*one) for one in cluster["others"]])


def _host(node: str, address: str, version: str, state: str, people: int, ahead: float) -> tuple[object, ...]:
    return node, address, version, state, people, f"{ahead:+.1f} s"


def change(data: Path, do: str, worker: int | str | None, as_json: bool) -> None:
    """Send `drain` or `restart` for a worker, or "hub" or "frontend", or `drain` for the host (None), and print the progress until it is done."""
    which = {} if worker is None else {"worker": worker}
    conclude(answer(data, {"do": do, **which}, show=not as_json), as_json)


def _row(one: Mapping[str, Any], others: int) -> tuple[object, ...]:
    waiting = sum(one["links"].values())
    links = f"{len(one['links'])} of {others}" + (f", {waiting:,} bytes wait" if waiting else "")
    return (
        one["process"], one["phase"], one["pid"] or "", age(one["age"]) if one["pid"] else "", one["people"], one["chats"],
        one["deaths"], links if others and one["pid"] else "",
    )  # fmt: skip


def age(seconds: float) -> str:
    """Format a duration in its two largest units: `3 d 4 h`, `12 s`."""
    said: list[str] = []
    left = int(seconds)
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (unit == "s" and not said):
            said.append(f"{count} {unit}")
    return " ".join(said[:2])
