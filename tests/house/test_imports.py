"""Check that imports form a directed graph without a cycle, by module and by sub-package; strings and `cimport` count."""

import functools
from pathlib import Path

import pytest

from tests.house.sources import (
    ROOT,
    circles,
    imports,
    module_of,
    modules,
    page_imports,
    page_modules,
    read,
    shown,
    tracked,
)

# Which package may import which; within a package the sub-packages below are checked.
MAY_IMPORT = {
    "ext": {"ext"},
    "engine": {"engine", "ext"},
    "server": {"server", "engine", "ext"},
    "serendip_client": {"serendip_client"},
    "bench": {"bench", "serendip_client", "server", "engine", "ext"},
    "grafana": {"grafana", "server", "engine"},
}
# The command that makes two users of its own call each other is a client itself.
ALLOWED = {
    ("server.main.commands.chat_probe_commands", "serendip_client"),
    ("server.main.commands.chat_client_commands", "serendip_client"),
}
# The parts of the engine that the server may import: its entry, its ports, read-only views.
ENGINE_FOR_THE_SERVER = {
    "engine.engine",
    "engine.core.ports",
    "engine.wire.protocol",
    "engine.views",
    "engine.wire.rule_constants",
    "engine.conduct.detection_consequences",  # what follows from a finding
    "engine.conduct.detection_classes",  # the class of each rule
    "engine.matching.interest_normalisation",  # what looks alike
    "engine.rooms.hub",  # the door of the process in which the people of several workers wait
    "engine.rooms.remote_waiting_room",  # and what each of them has in its place
    "engine.rooms.hub_messages",  # what the two say to each other, which goes from host to host
    "engine.rooms.hub_records",  # the same as records, within a host
    "engine.rooms.hub_outbox",  # those of the hub for one worker
    "engine.rooms.hub_message_checks",  # and what is believed of that
    "engine.rooms.meeting_placement",  # how a worker is numbered
}
# A sans-IO engine: no socket, clock or randomness of its own.
ENGINE_NEVER = {
    "asyncio",
    "socket",
    "time",
    "random",
    "secrets",
    "threading",
    "aiohttp",
    "uvloop",
    "os",
    "subprocess",
    "logging",
    "structlog",
}


@functools.cache
def graph() -> dict[str, set[str]]:
    """Return the imports of all modules of the project. Read once per worker, by the first test that needs it."""
    found = modules()
    return {
        name: set().union(*(imports(source, found) for source in sources)) - {name} for name, sources in found.items()
    }


def package_of(module: str) -> str:
    """Return the sub-package of a module, in the server the one below its wing; modules at the top of a package count separately."""
    return ".".join(module.split(".")[: 3 if module.startswith("server.") else 2])


def test_imports_point_one_way_only() -> None:
    wrong = {
        f"{module} imports {other}"
        for module, others in graph().items()
        for other in others
        if other.split(".")[0] not in MAY_IMPORT[module.split(".")[0]] and (module, other.split(".")[0]) not in ALLOWED
    }
    assert not wrong


def test_no_module_imports_itself_by_a_way_around() -> None:
    assert circles(graph()) == []


def test_no_sub_package_imports_itself_by_a_way_around() -> None:
    packages: dict[str, set[str]] = {}
    for module, others in graph().items():
        mine = package_of(module)
        packages.setdefault(mine, set()).update({package_of(other) for other in others} - {mine})
    assert circles(packages) == []


def test_no_module_of_the_page_imports_itself_by_a_way_around() -> None:
    """Check imports at the start and later ones: a module in a cycle cannot be read, moved or tested without the others."""
    modules = page_modules()
    assert len(modules) > 90
    assert circles(modules) == []


@pytest.mark.parametrize(
    "text",
    [
        'import { a } from "../store.js";\n',
        "import a from '../store.js';\n",
        'import "../store.js";\n',
        'export { a } from "../store.js";\n',
        'import {\n  a,\n  b,\n} from "../store.js";\n',
        'const a = () => import("../store.js");\n',
        'Promise.all([one(), import("../store.js")]);\n',
    ],
)
def test_every_way_to_import_in_the_page_is_seen(text: str) -> None:
    assert page_imports("views/home.js", text) == {"store.js"}


def test_the_server_reaches_the_engine_through_its_door_ports_and_views() -> None:
    wrong = {
        f"{module} imports {other}"
        for module, others in graph().items()
        for other in others
        if module.startswith("server") and other.startswith("engine") and other not in ENGINE_FOR_THE_SERVER
    }
    assert not wrong


def test_nothing_is_imported_for_types_alone() -> None:
    """Check that there is no import under TYPE_CHECKING, which hides a cycle, or a type in the wrong place."""
    wrong = [
        shown(source)
        for source in tracked("engine/*.py", "server/*.py", "client/*.py")
        if "TYPE_CHECKING" in source.read_text()
    ]
    assert wrong == []


def test_the_engine_has_no_socket_clock_or_randomness_of_its_own() -> None:
    wrong = {
        f"{shown(source)} imports {name}"
        for source in tracked("engine/*.py")
        for name in read(source).packages & ENGINE_NEVER
    }
    assert not wrong


@pytest.mark.parametrize(
    ("text", "name", "suffix"),
    [
        ("from engine.core.chat import Seat\n", "engine.core.chat", ".py"),
        ("def f():\n    import engine.core.chat\n", "engine.core.chat", ".py"),
        ('run = "engine.core.chat:main"\n', "engine.core.chat", ".py"),
        ("from engine.core import chat\n", "engine.core.chat", ".py"),
        ("from ext.net.chat_ring cimport (\n    ring_t,\n)\n", "ext.net.chat_ring", ".pyx"),
        ("cimport ext.net.chat_ring\n", "ext.net.chat_ring", ".pxd"),
    ],
)
def test_every_way_to_import_is_seen(
    tmp_path: Path, text: str, name: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / f"other{suffix}"
    source.write_text(text)
    monkeypatch.setattr("tests.house.sources.ROOT", tmp_path)
    assert imports(source, {name, "engine.core"} if name.startswith("engine") else {name}) == {name}


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []


def test_modules_are_named_by_their_place() -> None:
    assert module_of(ROOT / "server/http/request/__init__.py") == "server.http.request"
    assert module_of(ROOT / "ext/net/chat_ring.pyx") == "ext.net.chat_ring"
    assert module_of(ROOT / "client" / "serendip_client" / "outbox.py") == "serendip_client.outbox"
