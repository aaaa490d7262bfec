"""The parts of a chat's cost, and which module is under which. Rule: a module is under exactly one part, here and nowhere else.

A function that is no module's (Python's own, libc, orjson) is under the part of whoever called it. What the kernel takes is
no module's either: it is the system time of the clock.
"""

import re
from functools import cache
from typing import Final, NamedTuple


class Part(NamedTuple):
    """What `bounds` its cost, in a line, and the modules under it; `a.b.*`: all of that package."""

    bounds: str
    modules: tuple[str, ...] = ()


KERNEL: Final = "kernel"
REST: Final = "rest"
GARBAGE: Final = "garbage"  # by the counter of its seconds
ASKED: Final = "asked"  # what this bench itself makes the service do: it is not counted

PARTS: Final[dict[str, Part]] = {
    KERNEL: Part("system calls: a read a frame, a send a frame to a client; the loopback's TCP is in it"),
    "reactor": Part(
        "bytes and events: reads, frames, the relay and its ring, sends, gates; C throughout",
        (
            "ext", "ext.net", "ext.net.batch", "ext.net.buffers", "ext.net.carried", "ext.net.chatline", "ext.net.check",
            "ext.net.connection", "ext.net.counters", "ext.net.doors", "ext.net.ending", "ext.net.events", "ext.net.frames", "ext.net.intake",
            "ext.net.output", "ext.net.protocol", "ext.net.reactor", "ext.net.relay", "ext.net.ring", "ext.net.sys", "ext.net.tap",
            "ext.net.types", "ext.net.utf8",
        ),
    ),
    "connecting": Part(
        "the head's rules, who may come in, an identity, AES-GCM over a token",
        (
            "engine.networks", "engine.presence", "ext.net.address", "ext.net.admission", "ext.net.census", "ext.net.entrance",
            "ext.net.handshake", "ext.net.siphash", "ext.net.switching",
            "server.privacy.*", "server.safety.*", "server.security.*", "server.worker.known",
        ),
    ),
    "turn": Part(
        "the loop and the worker's dispatch: a Python call an event, and one of the reactor's for each thing that is wanted done",
        (
            "engine", "engine.address", "engine.bus_messages", "engine.core", "engine.engine", "engine.ports", "engine.session",
            "engine.snaps", "engine.states",
            "server.worker", "server.worker.bus", "server.worker.crowding", "server.worker.looking", "server.worker.output",
            "server.worker.worker",
        ),
    ),
    "parsing": Part(
        "orjson makes a dict of each `find` and `leave`, every field of it is judged",
        ("engine.errors", "engine.finds", "engine.policy", "engine.protocol", "engine.requests", "engine.signals"),
    ),
    "interning": Part(
        "a look-up a word, and whether it is spelled as it should be",
        (
            "engine.matching.confusables", "engine.matching.interests", "engine.matching.vocabulary", "engine.words",
            "ext.match.interner", "ext.match.strings",
        ),
    ),
    "lobby": Part(
        "a ticket in and out for each of the two, the steps by which it widens; the matcher's index",
        (
            "engine.matching", "engine.matching.college_hints", "engine.matching.lobby", "engine.matching.questions",
            "engine.matching.rooms", "engine.matching.spy_queue", "engine.matching.thresholds", "engine.matching.tickets",
            "engine.matching.windows", "engine.waiting", "ext.match", "ext.match.errors", "ext.match.graph", "ext.match.heap", "ext.match.index",
            "ext.match.matcher", "ext.match.matcher_c", "ext.match.pairing",
        ),
    ),
    "pairing": Part(
        "objects: a chat, its seats, a bus message each; begun and ended once",
        (
            "engine.chat", "engine.chats", "engine.findings", "engine.friction", "engine.lately", "engine.notices", "engine.search",
            "engine.terms", "engine.tips", "engine.trials",
        ),
    ),
    "frames": Part("bytes of `waiting`, `matched`, `left`: formatted anew for each", ("engine.frames", "engine.views")),
    "recents and measures": Part(
        "who shall not meet whom again, kept in dictionaries; a place a histogram", ("engine.measures", "engine.recents")
    ),
    "records": Part("three rows and seven index entries in SQLite, in the writer's thread; rows made on the loop",
        ("server.store.*", "server.worker.recorder"),
    ),
    GARBAGE: Part("objects that live on between two looks of Python's collector", ("server.worker.gc_tuning",)),
    "timers": Part(
        "once a second, however many chats there are; a step of a search that waits",
        ("ext.net.timeouts", "ext.net.wheel", "server.omegle.*", "server.worker.shortage"),
    ),
    REST: Part(
        "what is under no part, and what a chat does not enter",
        (
            "engine.age_question", "engine.ages", "engine.cameras", "engine.conduct", "engine.pauses",
            "engine.hub", "engine.hub_checks", "engine.hub_rows", "engine.moves", "engine.parcel", "engine.placing", "engine.protocol_copies",
            "engine.records", "engine.remote_room",
            "ext.declared", "ext.net.legs", "ext.net.moving", "ext.net.piping", "ext.net.shingle", "ext.net.talks", "ext.net.tunnel",
            "ext.net.probe", "ext.net.standing", "ext.net.virtual", "ext.net.ways", "ext.plain", "server.worker.absent", "server.worker.draining",
            "server.worker.moving", "server.worker.tunnelling",
        ),
    ),
    ASKED: Part(
        "",
        (
            "server.console.*", "server.handover.*", "server.health.*", "server.http.*", "server.metrics.*", "server.rights.*",
            "server.video.*",
        ),
    ),
}  # fmt: skip
# Whose packages and functions are under a part, though they are no module of ours.
FOREIGN: Final = {
    "records": ("aiosqlite.*", "concurrent.futures.*", "greenlet.*", "sqlalchemy.*", "sqlite3.*"),
    "turn": ("uvloop.*",),
    ASKED: ("aiohttp.*", "prometheus_client.*", "yarl.*"),
}
NAMED: Final = (
    (re.compile(r"gc_collect|__pyx_tp_(traverse|clear)_|visit_(decref|reachable)|subtract_refs|move_unreachable"), GARBAGE),
    (re.compile(r"uv__?(run_timers|timer_|update_time)|TimerHandle"), "timers"),
    (re.compile(r"^_?(py)?sqlite3?_?|^sqlite3"), "records"),
    (re.compile(r"^budget_frame|^budget_part_of|^looked_up"), ASKED),
)  # fmt: skip
NAMES: Final = tuple(PARTS)  # in order; `frames.c` knows a part by its place
MODULES: Final = {module: part for part, one in PARTS.items() for module in one.modules} | {
    module: part for part, modules in FOREIGN.items() for module in modules
}
OURS: Final = re.compile(r"_(?=6engine_|3ext_|6server_)")


@cache
def part_of_module(module: str) -> str:
    """The part that a dotted name is under; empty where none is."""
    if module in MODULES:
        return MODULES[module]
    while module:
        if f"{module}.*" in MODULES:
            return MODULES[f"{module}.*"]
        module = module.rpartition(".")[0]
    return ""


@cache
def part_of_function(name: str) -> str:
    """The part of a C function, by its name alone; empty: its caller's. Cython writes the module into the names of what it makes."""
    for pattern, part in NAMED:
        if pattern.search(name):
            return part
    if name.startswith("budget_part_"):
        return NAMES[int(name.removeprefix("budget_part_").partition(".")[0])]
    mangled = OURS.search(name) if name.startswith("__pyx_") else None
    return part_of_module(unmangled(name[mangled.end() :])) if mangled else ""


def unmangled(name: str) -> str:
    """The dotted name of the module in `6engine_6search_6Search_4find`: as many of its words as a part has."""
    words: list[str] = []
    best = ""
    while size := re.match(r"\d+", name):
        end = size.end() + int(size[0])
        words.append(name[size.end() : end])
        name = name[end:].removeprefix("_")
        if (module := ".".join(words)) in MODULES or part_of_module(module):
            best = module
    return best


@cache
def part_of_object(path: str, tree: str) -> str:
    """The part of a library's own functions; empty: their caller's. `tree`: the folder whose modules are ours."""
    inside = path.removeprefix(f"{tree}/").partition("site-packages/")[2] or path.removeprefix(f"{tree}/")
    name = inside.partition(".cpython-")[0].partition(".abi3")[0]
    if "sqlite3" in name.rpartition("/")[2]:
        return "records"
    return "" if name.startswith("/") else part_of_module(name.replace("/", "."))


def rows() -> list[tuple[str, int]]:
    """(piece of a path, place of its part) for each Python file that may be interpreted: what `frames.apart` takes."""
    found = []
    for module, part in MODULES.items():
        path = module.replace(".", "/")
        place = NAMES.index(part)
        if module.endswith(".*"):
            found.append((f"/{path[:-1]}", place))
        else:
            found += [(f"/{path}.py", place), (f"/{path}/__init__.py", place)]
    return found


def owner(chain: str, path: str, tree: str) -> str:
    """The part of a function and its callers, as callgrind writes them (`inner'caller'…`), of the library at `path`."""
    names = chain.split("'")
    first = part_of_function(names[0]) or part_of_object(path, tree)
    if first:
        return first
    return next((part for name in names[1:] if (part := part_of_function(name)) and name != "budget_frame"), REST)
