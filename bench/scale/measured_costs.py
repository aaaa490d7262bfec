"""Read the measured costs from the results of benches, each with the name of its field; none is typed.

A cost that no bench here can measure is an assumption, in `bench.scale.assumptions`.
"""

from collections.abc import Callable
from statistics import median
from typing import Any, Final, NamedTuple

from bench.support import results

RELAY: Final = "scenarios/relay/servers/serendip/"
WAITING: Final = "scenarios/waiting/servers/serendip/"


class Field(NamedTuple):
    """Source of a cost. `path`: keys with slashes between, `*` the median over a list; `over`: its divisor; `said`: its description."""

    file: str
    path: str
    unit: str
    said: str
    over: str = ""


class Cost(NamedTuple):
    """A cost and its source."""

    value: float
    field: Field


FIELDS: Final = {
    "frame_us": Field("workers", "loads/relay/two/cpu", "µs", "a frame relayed: all processes of a host with two workers"),
    "chat_us": Field(
        "workers", "loads/chats kept/two/cpu", "µs", "a chat, its two lines, its record, hub and frontend: found, begun and ended"
    ),
    "hub_us": Field("workers", "loads/chats kept/two/hub", "µs", "of it the hub"),
    "frontend_us": Field("workers", "loads/chats kept/two/frontend", "µs", "of it the frontend"),
    "screening_us": Field("workers", "loads/chats kept/two/beside", "µs", "of it the programs that look at lines"),
    "unkept_us": Field("workers", "loads/chats/two/cpu", "µs", "a chat without a store, as above"),
    "unkept_hub_us": Field("workers", "loads/chats/two/hub", "µs", "of it the hub"),
    "unkept_frontend_us": Field("workers", "loads/chats/two/frontend", "µs", "of it the frontend"),
    "unkept_screening_us": Field("workers", "loads/chats/two/beside", "µs", "of it the programs that look at lines"),
    "frame_screening_us": Field("workers", "loads/relay/two/beside", "µs", "of a frame the programs that look at lines"),
    "move_us": Field("upgrade", "upgrades/*/move_us", "µs", "a person who moves between two processes of a host, both sides"),
    "meet_us": Field(
        "moves", "us/is matched with a user there, with three interests/alone/*", "µs", "a user who moves to a partner's worker, alone"
    ),
    "to_floor": Field("whole", f"{RELAY}to_floor", "×", "a frame here beside one that raw TCP in C passes on"),
    "line_us": Field("screening", "line_us", "µs", "a line looked at by the program beside a process"),
    "idle_cores": Field("million", "idle_cpu_cores", "cores", "a person who is connected and says nothing", "clients"),
    "person_bytes": Field("whole", f"{WAITING}bytes", "bytes", "a person who waits, in a process"),
    "machine_bytes": Field("million", "machine_bytes", "bytes", "a client and the server, with the kernel's memory", "clients"),
    "server_bytes": Field("million", "servers_bytes", "bytes", "of it the servers' processes", "clients"),
    "client_bytes": Field("million", "generators_bytes", "bytes", "of it the clients' processes", "clients"),
    "hub_mb": Field("workers", "memory/hub", "MB", "a hub after its start"),
    "frontend_mb": Field("workers", "memory/frontend", "MB", "a frontend after its start"),
    "worker_mb": Field("workers", "memory/worker 1", "MB", "a worker after its start"),
    "screener_mb": Field("screening", "rss_mb", "MB", "the program that looks at lines, one beside each process with people"),
}  # fmt: skip
Costs = dict[str, float]


def found(document: Any, path: str) -> float:
    """Return the value at a path; the median of all through a list. Raises KeyError, TypeError, IndexError if there is none."""
    if not path:
        return float(document)
    key, _, rest = path.partition("/")
    return median(found(one, rest) for one in document) if key == "*" else found(document[key], rest)


def measured(read: Callable[[str], dict[str, Any]] = results.read) -> dict[str, Cost]:
    """Return all costs of the current results. Raises KeyError for one that they lack."""
    costs = {}
    for name, field in FIELDS.items():
        document = read(field.file)
        value = found(document, field.path)
        costs[name] = Cost(value / found(document, field.over) if field.over else value, field)
    return costs


def derived(costs: Costs) -> Costs:
    """Return the costs that follow by a division, under their own names.

    `hop_us`: a frame forwarded by a host that has the client's connection but not the chat: the cost in raw TCP. `kernel_bytes`: of one end of
    a connection; both ends were on the filled machine.
    """
    return {
        "hop_us": costs["frame_us"] / costs["to_floor"],
        "kernel_bytes": max(0.0, costs["machine_bytes"] - costs["server_bytes"] - costs["client_bytes"]) / 2,
    }
