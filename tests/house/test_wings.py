"""The wings of the house and the arrows between them: a module imports its own wing and those below it, and nothing else.

The drawing is in ARCHITECTURE.md. A wing that is not listed beside another may not be imported there, by `import`, `cimport` or a
string that names a module.
"""

import pytest

from tests.house.sources import ROOT, circles, shown, tracked
from tests.house.test_imports import graph

ENGINE = (
    "engine.engine",
    "engine.views",
    "engine.core",
    "engine.wire",
    "engine.matching",
    "engine.conduct",
    "engine.rooms",
)
SERVER = ("server.ops", "server.http", "server.data", "server.trust", "server.realtime", "server.site", "server.fleet")
EXT = (
    "ext.compiled_module_switch",
    "ext.pxd_check",
    "ext.base",
    "ext.accept",
    "ext.net",
    "ext.migrate",
    "ext.reactor",
    "ext.match",
    "ext.text",
)
# A wing, and the wings that it may import beside itself.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "ext.compiled_module_switch": (),
    "ext.pxd_check": ("ext.compiled_module_switch",),
    "ext.match": ("ext.base",),
    "ext.text": ("ext.net",),
    "ext.base": (),
    "ext.accept": ("ext.base",),
    "ext.net": ("ext.accept", "ext.base"),
    "ext.migrate": ("ext.net", "ext.accept", "ext.base"),
    "ext.reactor": ("ext.migrate", "ext.net", "ext.accept", "ext.base"),
    "engine": ("ext.compiled_module_switch",),
    "engine.wire": (),
    "engine.matching": ("engine.wire", "ext.match", "ext.accept", "ext.base"),
    "engine.conduct": ("engine.matching", "engine.wire", "ext.base"),
    "engine.core": ("engine.conduct", "engine.matching", "engine.wire", "ext.match", "ext.net"),
    "engine.rooms": ("engine.core", "engine.matching", "engine.wire", "ext.match", "ext.base"),
    "engine.chats": (
        "engine.core",
        "engine.conduct",
        "engine.matching",
        "engine.wire",
        "ext.net",
        "ext.accept",
        "ext.base",
        "ext.match",
    ),
    "engine.migrate": ("engine.chats", "engine.core", "engine.conduct", "engine.matching", "engine.wire", "ext.net"),
    "engine.views": (*ENGINE[2:], "engine.chats", "engine.migrate", "ext.net"),
    "engine.engine": (*ENGINE[1:], "engine.chats", "engine.migrate", "ext.net", "ext.match"),
    "server": (),
    "server.ops": (*ENGINE, *EXT),
    "server.http": ("server.ops", *ENGINE, *EXT),
    "server.data": (*SERVER[:2], *ENGINE, "ext.compiled_module_switch", "ext.base"),
    "server.trust": (
        *SERVER[:3],
        *ENGINE,
        "ext.compiled_module_switch",
        "ext.net",
        "ext.accept",
        "ext.base",
        "ext.text",
    ),
    "server.realtime": (*SERVER[:2], *ENGINE, *EXT),
    "server.site": (*SERVER[:5], *ENGINE, *EXT),
    "server.fleet": (*SERVER[:6], *ENGINE, *EXT),
    "server.main": (*SERVER, *ENGINE, *EXT, "serendip_client"),
}
# Modules of the store that other wings may import: its ports, its errors, rows and transcripts as plain data. None opens a database.
PORTS = (
    "server.data.records.store_ports",
    "server.data.errors",
    "server.data.records.chat_rows",
    "server.data.records.transcript",
)
USE_PORTS = ("server.http", "server.realtime")


def wing_of(module: str) -> str:
    """Return the wing of a module: its package of two parts, or the top of `engine` and `ext` by name."""
    name = ".".join(module.split(".")[:2])
    return name if name in MAY_IMPORT else name.partition(".")[0]


def test_each_wing_imports_those_below_it_alone() -> None:
    wrong = sorted(
        f"{module} imports {other}"
        for module, others in graph().items()
        if module.startswith(("ext", "engine", "server"))
        for other in others
        if (mine := wing_of(module)) != (its := wing_of(other))
        and its not in MAY_IMPORT[mine]
        and not (mine in USE_PORTS and other in PORTS)
        and its not in ("ext", "engine", "server")
    )
    assert wrong == []


def test_no_wing_imports_itself_by_a_way_around() -> None:
    assert circles({wing: set(below) for wing, below in MAY_IMPORT.items()}) == []


@pytest.mark.parametrize("wing", sorted(MAY_IMPORT))
def test_each_wing_exists(wing: str) -> None:
    place = ROOT / wing.replace(".", "/")
    assert place.is_dir() or any(place.with_suffix(suffix).exists() for suffix in (".py", ".pyx"))


def test_a_module_name_means_one_thing_in_the_whole_house() -> None:
    """Packages may each have their own of these names; every other name is one module."""
    places: dict[str, list[str]] = {}
    for source in tracked("ext/*.py", "ext/*.pyx", "engine/*.py", "server/*.py"):
        if source.stem not in ("__init__", "__main__", "errors", "routes", "service"):
            places.setdefault(source.stem, []).append(shown(source))
    assert [names for names in places.values() if len(names) > 1] == []
