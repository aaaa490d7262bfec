"""Compute cores, hosts, memory, hub and bus as products of measured costs and assumed numbers, each part by itself."""

from math import ceil
from typing import Any, Final

from bench.scale.assumptions import Assumed
from bench.scale.measured_costs import Costs
from server.ops.config.settings import Chat

US: Final = 1e-6  # seconds
RING_LEAST: Final = 512  # bytes; a ring doubles from there
RADII: Final = (50_000, 100_000, 250_000, 500_000)  # people of one host
USUAL: Final = 250_000
WORKERS_LEAST: Final = 2
WORKERS_MEASURED: Final = 2  # of the host whose chats were measured
WORKERS: Final = (8, 16, 32)
HUB_GOAL_US: Final = 5.0  # a chat in the hub, as it is meant to be
ROWS_UP: Final = 1.0  # of a search, those that are urgent: its ticket. Who met whom goes along with the next
ROWS_DOWN: Final = 1.0  # the word that it waits, or whom it meets


def load(world: Assumed) -> dict[str, float]:
    """Return what all users do in a second."""
    talking = world.people * world.talking
    return {
        "frames": talking * (world.lines + world.typing),
        "lines": talking * world.lines,
        "finds": talking / world.find_every,
        "chats": talking / world.find_every / 2,
        "idle": world.people - talking,
    }


def cores(world: Assumed, costs: Costs, apart: float) -> dict[str, float]:
    """Return cores by activity; `apart`: share of the pairs whose users are at different hosts."""
    does = load(world)
    moves = does["chats"] * apart
    parts = {
        # the two lines of a chat that is measured are in its own cost
        "frames": max(0.0, does["frames"] - 2 * does["chats"]) * costs["frame_us"] * US,
        "chats": does["chats"] * (costs["chat_us"] - costs["hub_us"] - costs["frontend_us"]) * US,
        "hubs": does["chats"] * costs["hub_us"] * US,
        "frontends": does["chats"] * costs["frontend_us"] * US,
        "idle": does["idle"] * costs["idle_cores"],
        "lines looked at": does["lines"] * costs["line_us"] * US,
        "moves between hosts": moves * costs["move_us"] * US,
        "frames through a second host": does["frames"] * apart * costs["hop_us"] * US,
        "bus": bus(world, world.cluster, hosts_of(world.cluster, USUAL))["cores"] * world.clusters if apart else 0.0,
    }
    return {**parts, "all": sum(parts.values())}


def hosts_of(people: int, radius: int) -> int:
    """Return the number of hosts, if one host has at most `radius` users; two at least, so that a death does not hit all."""
    return max(2, ceil(people / radius))


def ring_bytes(world: Assumed) -> int:
    """Return the size of a chat's ring at its end: it doubles until its lines fit."""
    lines, size = 2 * world.lines * world.find_every * world.line_bytes, RING_LEAST
    while size < lines:
        size *= 2
    return size


def hosts(world: Assumed, costs: Costs) -> list[dict[str, float]]:
    """Return one row per size of host: its needs, and the cost of its death."""
    rows = []
    for radius in RADII:
        count = hosts_of(world.people, radius)
        people = world.people / count
        together, apart = (cores(world, costs, share)["all"] / count for share in (0.0, world.apart))
        workers = max(WORKERS_LEAST, ceil(apart))
        rings = min(people * world.rings * ring_bytes(world), float(Chat().memory) * workers)
        processes = costs["hub_mb"] + costs["frontend_mb"] + workers * costs["worker_mb"]
        processes += (workers + 1) * costs["screener_mb"]  # beside each worker, and the frontend
        own = people * (costs["person_bytes"] + costs["kernel_bytes"])
        rows.append({
            "people": people, "hosts": count, "workers": workers, "cores_together": together, "cores_apart": apart,
            "gigabytes": (own + rings) / 1e9 + processes / 1e3, "share": people / world.people,
            "chats_cut": people * world.talking / 2, "told_elsewhere": people * world.talking / 2 * world.apart,
        })  # fmt: skip
    return rows


def hub(world: Assumed, costs: Costs) -> dict[str, float]:
    """Return the share of a core that the waiting room of a million users takes, and of one cluster; how many users a hub can serve."""
    a_person = load(world)["chats"] / world.people * costs["hub_us"] * US
    return {"million": a_person * 1e6, "cluster": a_person * world.cluster, "people_at_most": 1 / a_person}


def crowded(costs: Costs) -> list[dict[str, Any]]:
    """Return one row per number of workers of one host, with a store and without: chats a second, and which process is full first.

    Every process has a core of its own. The programs that look at lines run on what is left, and skip lines if that is too little.
    """
    return [
        {"workers": count, "kept": kept, **chat_rates(costs, count, kept=kept)}
        for kept in (True, False)
        for count in WORKERS
    ]


def chat_rates(costs: Costs, count: int, *, kept: bool) -> dict[str, Any]:
    """Return the chats a second of one host with `count` workers: as its processes would carry them, today and with the hub's goal."""
    begin = "" if kept else "unkept_"
    hub, frontend, screening = (costs[f"{begin}{part}_us"] for part in ("hub", "frontend", "screening"))
    chat = costs["chat_us" if kept else "unkept_us"] - hub - frontend - screening
    moves = moves_a_chat(count) * costs["meet_us"]
    worker = chat - moves_a_chat(WORKERS_MEASURED) * costs["meet_us"] + moves
    at_most = {"workers": count / worker / US, "hub": 1 / hub / US, "frontend": 1 / frontend / US}
    full = min(at_most, key=at_most.__getitem__)
    hoped = {**at_most, "hub": 1 / min(hub, HUB_GOAL_US) / US}
    full_then = min(hoped, key=hoped.__getitem__)
    return {
        "worker_us": worker, "moves": moves / worker, "at_most": at_most, "chats": at_most[full], "full": full,
        "screening_cores": at_most[full] * screening * US, "chats_then": hoped[full_then], "full_then": full_then,
        "messages": count / (costs["frame_us"] - costs["frame_screening_us"]) / US,
    }  # fmt: skip


def moves_a_chat(workers: int) -> float:
    """Return the users who move to a partner's worker, a chat: partners who share no interest come by any two workers."""
    return 1 - 1 / workers


def batches(rate: float, least: float) -> float:
    """Return the messages a second for so many rows a second to one host, with `least` seconds between two."""
    return rate / (1 + rate * least)


def bus(world: Assumed, people: int, count: int) -> dict[str, float]:
    """Return NATS messages a second in a cluster of `count` hosts, one of which has the waiting room."""
    finds = people * world.talking / world.find_every / count  # of one host
    # between one other host and the owner, both ways
    way = batches(finds * ROWS_UP, world.batch) + batches(finds * ROWS_DOWN, world.batch)
    drops = people * world.drops * (count - 1) / count  # who comes back by another host: all are asked, one says yes
    beats = count / world.beat
    sent = (count - 1) * way + 2 * drops + beats
    heard = (count - 1) * way + drops * count + beats * count
    each = world.bus_us * US
    return {
        "hosts": count, "people": people, "rows": (count - 1) * finds * (ROWS_UP + ROWS_DOWN), "sent": sent, "heard": heard,
        "cores": (sent + heard) * each, "owner": ((count - 1) * way + drops + (1 + count) / world.beat) * each,
    }  # fmt: skip


def buses(world: Assumed) -> list[dict[str, float]]:
    """Return one row per size of host, of one cluster."""
    return [bus(world, world.cluster, hosts_of(world.cluster, radius)) for radius in RADII]


def everything(world: Assumed, costs: Costs) -> dict[str, Any]:
    """Return all of it, as it is kept."""
    return {
        "load": load(world),
        "cores": {"together": cores(world, costs, 0.0), "apart": cores(world, costs, world.apart)},
        "hosts": hosts(world, costs),
        "hub": hub(world, costs),
        "bus": buses(world),
        "crowded": crowded(costs),
        "ring_bytes": ring_bytes(world),
    }
