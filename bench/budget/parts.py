"""Assign each module to one part of a chat's cost.

A function of no module (Python's own, libc, orjson) belongs to its caller's part. The kernel's cost belongs to no module: it is the system time.
**Invariant:** a module is in exactly one part, here and nowhere else.
"""

import re
from functools import cache
from typing import Final, NamedTuple


class Part(NamedTuple):
    """A sentence about what `bounds` its cost, and its modules; `a.b.*`: a whole package."""

    bounds: str
    modules: tuple[str, ...] = ()


KERNEL: Final = "kernel"
REST: Final = "rest"
GARBAGE: Final = "garbage"  # by the counter of its seconds
BESIDE: Final = "screening"  # in processes of its own, by the clock
ASKED: Final = "asked"  # what this bench itself makes the service do: it is not counted

PARTS: Final[dict[str, Part]] = {
    KERNEL: Part("system calls: a read a frame, a send a frame to a client; the loopback's TCP is in it"),
    BESIDE: Part("a process that reads each line in C, and in Python those in which something is seen"),
    "reactor": Part(
        "bytes and events: reads, frames, the relay and its ring, sends, gates; C throughout",
        (
            "ext", "ext.net", "ext.reactor.turn_end", "ext.net.byte_buffers", "ext.net.rate_limit_carry_over", "ext.net.fast_chat_line_parser",
            "ext.base.check",
            "ext.net.connection_table", "ext.net.counters", "ext.reactor.connection_handover", "ext.net.connection_end", "ext.net.event_queue",
            "ext.net.frames", "ext.reactor.socket_input",
            "ext.net.output", "ext.base.protocol", "ext.reactor.reactor", "ext.net.relay", "ext.net.chat_ring", "ext.base.system", "ext.net.tap",
            "ext.net.structs", "ext.net.utf8",
        ),
    ),
    "connecting": Part(
        "the head's rules, who may come in, an identity, AES-GCM over a token",
        (
            "engine.matching.address_networks", "engine.chats.session_presence", "ext.accept.ip_address_codec", "ext.accept.address_limits",
            "ext.accept.address_table", "ext.reactor.new_connections",
            "ext.accept.handshake", "ext.accept.siphash", "ext.accept.handshake_reply",
            "server.data.privacy.*", "server.trust.sanctions.*", "server.trust.moderation.*", "server.ops.security.*",
            "server.realtime.worker.known_client_cookies", "server.realtime.worker.country_gate",
        ),
    ),
    "turn": Part(
        "the loop and the worker's dispatch: a Python call an event, and one of the reactor's for each thing that is wanted done",
        (
            "engine", "engine.core.bus_messages", "engine.core.engine_state", "engine.engine", "engine.core.ports",
            "engine.core.session",
            "engine.chats.camera_checks", "engine.core.states",
            "server.realtime.worker", "server.realtime.worker.local_bus", "server.realtime.worker.session_recheck",
            "server.realtime.worker.engine_output",
            "server.realtime.worker.worker_loop",
        ),
    ),
    "parsing": Part(
        "orjson makes a dict of each `find` and `leave`, every field of it is judged",
        ("engine.wire.engine_errors", "engine.conduct.search_rate", "engine.wire.rule_constants", "engine.wire.protocol",
        "engine.wire.client_requests",
        "engine.wire.signal_checks"),
    ),
    "interning": Part(
        "a look-up a word, and whether it is spelled as it should be",
        (
            "engine.matching.confusable_characters", "engine.matching.interest_normalisation", "engine.matching.interest_numbers",
            "engine.core.interest_quota",
            "ext.match.interner", "ext.match.string_table",
        ),
    ),
    "lobby": Part(
        "a ticket in and out for each of the two, the steps by which it widens; the matcher's index",
        (
            "engine.matching", "engine.matching.any_college_index", "engine.matching.kept_pairs", "engine.matching.lobby",
            "engine.matching.reusable_questions",
            "engine.matching.pool_counts", "engine.matching.spy_queue", "engine.matching.thresholds", "engine.matching.tickets",
            "engine.matching.window_pairing", "engine.rooms.local_waiting_room", "ext.match", "ext.match.errors",
            "ext.match.pairing_graph", "ext.match.due_heap",
            "ext.match.matcher_base", "ext.match.room_records", "ext.base.id_map",
            "ext.match.matcher", "ext.match.matcher_c", "ext.match.batch_pairing",
        ),
    ),
    "pairing": Part(
        "objects: a chat, its seats, a bus message each; begun and ended once",
        (
            "engine.core.chat", "engine.chats.chat_lifecycle", "engine.chats.detection_handler", "engine.conduct.friction_points",
            "engine.core.ended_seats", "engine.chats.unread_notices", "engine.chats.search",
            "engine.matching.search_criteria", "engine.chats.safety_tips", "engine.chats.challenges", "engine.chats.kept_seats",
        ),
    ),
    "frames": Part("bytes of `waiting`, `matched`, `left`: formatted anew for each", ("engine.wire.server_frames", "engine.views")),
    "recents and measures": Part(
        "who shall not meet whom again, kept in dictionaries; a place a histogram",
        ("engine.core.engine_histograms", "engine.matching.recent_partners", "ext.match.partner_table"),
    ),
    "records": Part("three rows and seven index entries in SQLite, in the writer's thread; rows made on the loop",
        ("server.data.store.*", "server.data.database.*", "server.data.records.*", "server.data.keys.*", "server.data.schema.*",
         "server.realtime.worker.recorder"),
    ),
    GARBAGE: Part("objects that live on between two looks of Python's collector", ("server.realtime.worker.gc_tuning",)),
    "timers": Part(
        "once a second, however many chats there are; a step of a search that waits",
        ("ext.reactor.timeouts", "ext.net.wheel", "server.site.omegle.*", "server.realtime.worker.shortage_log"),
    ),
    REST: Part(
        "what is under no part, and what a chat does not enter",
        (
            "engine.chats.age_question", "engine.conduct.age_answers", "engine.conduct.camera_verdicts", "engine.conduct.detection_consequences",
            "engine.chats.age_question_pause", "engine.chats.grooming", "engine.conduct.daily_detections", "engine.conduct.detection_classes",
            "engine.conduct.video_pauses", "engine.chats.opener_pause", "engine.conduct.opener_counts", "engine.chats.reactions",
            "engine.rooms.hub", "engine.rooms.hub_message_checks", "engine.rooms.hub_messages", "engine.rooms.hub_outbox",
            "engine.rooms.hub_records",
            "engine.migrate.session_migration",
            "engine.migrate.session_record", "engine.migrate.waiting_row",
            "engine.rooms.meeting_placement", "engine.wire.protocol_copy_generator",
            "engine.migrate.record_fields", "engine.rooms.remote_waiting_room",
            "ext.pxd_check", "ext.base.ageing_map", "ext.base.shared_ring", "ext.text", "ext.text.hashed_classifier", "ext.text.line_sieve",
            "ext.text.phrase_index", "ext.text.phrase_scanner", "ext.text.spelled_scanner", "engine.chats.sent_pictures",
            "ext.net.tunnel_connections", "ext.migrate.connection_moves", "ext.migrate.tunnel_transfer", "ext.net.similarity",
            "ext.migrate.tunnel_client_state", "ext.migrate.tunnel",
            "ext.reactor.debug_hooks", "ext.net.chat_ring_snapshot", "ext.reactor.virtual_connections", "ext.migrate.tcp_peer_liveness",
            "ext.compiled_module_switch",
            "engine.chats", "engine.conduct", "engine.core", "engine.migrate", "engine.rooms", "engine.wire",
            "ext.accept", "ext.base", "ext.migrate", "ext.reactor",
            "server.realtime.worker.worker_dependencies", "server.realtime.worker.worker_drain",
            "server.realtime.worker.session_moves", "server.realtime.worker.tunnel_interface", "server.realtime.worker.live_sessions",
        ),
    ),
    ASKED: Part(
        "",
        (
            "server.trust.console.*", "server.fleet.ipc.*", "server.fleet.migrate.*", "server.ops.health.*", "server.http.request.*",
            "server.ops.metrics.*", "server.trust.rights.*",
            "server.realtime.video.*",
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
    """Return the part of a dotted name; empty if none."""
    if module in MODULES:
        return MODULES[module]
    while module:
        if f"{module}.*" in MODULES:
            return MODULES[f"{module}.*"]
        module = module.rpartition(".")[0]
    return ""


@cache
def part_of_function(name: str) -> str:
    """Return the part of a C function by its name; empty: its caller's. Cython writes the module into the names of its functions."""
    for pattern, part in NAMED:
        if pattern.search(name):
            return part
    if name.startswith("budget_part_"):
        return NAMES[int(name.removeprefix("budget_part_").partition(".")[0])]
    mangled = OURS.search(name) if name.startswith("__pyx_") else None
    return part_of_module(unmangled(name[mangled.end() :])) if mangled else ""


def unmangled(name: str) -> str:
    """Return the dotted module name in `6engine_5chats_6search_6Search_4find`: as many of its words as a part has."""
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
    """Return the part of a library's own functions; empty: their caller's. `tree`: folder of this project's modules."""
    inside = path.removeprefix(f"{tree}/").partition("site-packages/")[2] or path.removeprefix(f"{tree}/")
    name = inside.partition(".cpython-")[0].partition(".abi3")[0]
    if "sqlite3" in name.rpartition("/")[2]:
        return "records"
    return "" if name.startswith("/") else part_of_module(name.replace("/", "."))


def rows() -> list[tuple[str, int]]:
    """Return (piece of a path, index of its part) for each Python file that may be interpreted, as `frames.apart` takes them."""
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
    """Return the part of a function and its callers, as callgrind writes them (`inner'caller'…`), of the library at `path`."""
    names = chain.split("'")
    first = part_of_function(names[0]) or part_of_object(path, tree)
    if first:
        return first
    return next((part for name in names[1:] if (part := part_of_function(name)) and name != "budget_frame"), REST)
