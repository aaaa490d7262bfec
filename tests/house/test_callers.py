"""Check that public functions have callers: delete a method of ext, of the Engine or of the Lobby that only tests and benches call.

**Invariant:** by name. A method counts as called if its name follows a dot, or is imported, in the code that may call it.
"""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.house.sources import ROOT, read, read_text, shown, tracked

# Methods without a caller in the product, and the reason. This list only shrinks: an entry that has a caller fails.
UNCALLED: dict[str, str] = {
    "ext/match/matcher.pyx:submit_batch": "the lobby has objects: arrays cost more than the call saves; see `bench.matching.arrival_batches`",
    "ext/match/matcher.pyx:remove_batch": "the other half of that door",
    "ext/match/matcher.pyx:tidy": "what remains of the index after a sweep: tests ask for it at once",
    "ext/match/matcher.pyx:variants": "which builds this machine can run: the tests run each of them",
}
# Methods for tests and the leak ledger, not for the product.
TESTS_OWN = ("ext/reactor/debug_hooks.pyx",)
LEDGER = "alive"


def called(*packages: str, but: str = "") -> set[str]:
    """Return every name that follows a dot, is imported, or is used bare, in the Python of some packages."""
    found: set[str] = set()
    for package in packages:
        for source in tracked(f"{package}/*.py"):
            if shown(source) != but:
                found |= read(source).uses
    return found


def compiled_doors() -> Iterable[str]:
    """Yield `module:name` of each public `def` and property of ext."""
    for source in tracked("ext/*.pyx"):
        if shown(source) in TESTS_OWN:
            continue
        for name in re.findall(r"^ *(?:def|cpdef(?: \w+)?) ([a-z]\w*)\(", source.read_text(), re.M):
            if name != LEDGER:
                yield f"{shown(source)}:{name}"


def methods(source: Path, name: str) -> Iterable[str]:
    """Yield `module:method` of each public method of a class."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ClassDef) and node.name == name:
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
                    yield f"{shown(source)}:{part.name}"


def without_caller(doors: Iterable[str], names: set[str]) -> list[str]:
    """List the methods that are not called."""
    return sorted(door for door in doors if door.rpartition(":")[2] not in names)


def silent() -> list[str]:
    """List all methods without a caller."""
    engine, lobby = ROOT / "engine" / "engine.py", ROOT / "engine" / "matching" / "lobby.py"
    return [
        *without_caller(compiled_doors(), called("server", "client", "engine")),
        *without_caller(methods(engine, "Engine"), called("server")),
        *without_caller(methods(lobby, "Lobby"), called("server", "engine", but=shown(lobby))),
    ]


def test_every_public_door_has_a_caller_in_the_product() -> None:
    found = silent()
    assert [door for door in found if door not in UNCALLED] == []
    assert set(UNCALLED) <= set(found), "these are called by now: take them from the list"


@pytest.mark.parametrize(
    "text", ["reactor.drain(now)", "f = reactor.drain", "from ext.reactor.reactor import drain", "drain()"]
)
def test_a_use_is_seen(text: str) -> None:
    assert "drain" in read_text(text).uses


def test_a_door_without_a_caller_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("class Lobby:\n    def used(self): ...\n    def unused(self): ...\n    def _own(self): ...\n")
    doors = [f"a.py:{name}" for name in ("used", "unused")]
    assert without_caller(doors, set(read_text("lobby.used()").uses)) == ["a.py:unused"]
