"""What the engine needs from outside."""

import ast
import re
from typing import Any

import pytest

from engine.core import ports
from engine.matching.lobby import Lobby
from engine.rooms.local_waiting_room import WaitingRoom
from engine.wire.protocol_copy_generator import ROOT
from server.realtime.worker.engine_output import Output
from server.realtime.worker.local_bus import LocalBus
from tests.ext.net.rig import Rig

MADE: dict[str, Any] = {"Bus": LocalBus(), "Out": Output, "Room": WaitingRoom(Lobby()), "Matcher": Lobby()}


def test_each_protocol_has_its_implementation() -> None:
    tree = ast.parse((ROOT / "engine/core/ports.py").read_text())
    protocols = [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
    ]
    assert protocols == list(MADE)


@pytest.mark.parametrize("name", MADE)
def test_the_implementation_has_all_that_the_protocol_says(name: str) -> None:
    protocol = getattr(ports, name)
    said = set(protocol.__annotations__) | {member for member in vars(protocol) if not member.startswith("_")}
    assert said
    made = MADE[name]
    if made is Output:
        rig = Rig()
        made = Output(rig.reactor)
        rig.close()
    assert [member for member in said if not hasattr(made, member)] == []


@pytest.mark.parametrize("name", MADE)
def test_each_protocol_is_used_as_a_type(name: str) -> None:
    users = [
        str(source.relative_to(ROOT))
        for folder in ("engine", "server")
        for source in (ROOT / folder).rglob("*.py")
        if source.name != "ports.py" and re.search(rf"(:|->) {name}\b", source.read_text())
    ]
    assert users


def test_where_the_server_gives_nothing_proofs_are_refused_and_signals_pass() -> None:
    outside = ports.Outside(new_id=lambda: 1)
    assert outside.open_proof("proof", None) is None  # type: ignore[arg-type]
    assert outside.scrub({"candidate": None}) == {"candidate": None}
    assert outside.ice_servers(None) == []  # type: ignore[arg-type]
