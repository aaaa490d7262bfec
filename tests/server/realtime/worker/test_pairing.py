"""The two other ways to decide who meets (docs/matching.md), through the running server: in windows, and with a falling floor."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engine.wire.protocol import QUIET_BELOW
from tests.server.site.web.servers import Server
from tests.support.wire import Wire

pytestmark = pytest.mark.blocking  # sockets by hand


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Closes what a test opened."""
    with ExitStack() as opened:
        yield opened


def serve(stack: ExitStack, data: Path, **matching: str) -> int:
    """The port of a server with these settings of `matching`."""
    server = Server(
        data,
        SERENDIP_LIMITS__ENABLED="false",
        **{f"SERENDIP_MATCHING__{name.upper()}": value for name, value in matching.items()},
    )
    stack.callback(server.stop)
    return server.port


def busy(stack: ExitStack, port: int) -> None:
    """As many arrivals as make a pool one that is not quiet (protocol.md, rule 6); nobody stays."""
    wire = stack.enter_context(Wire(port))
    for number in range(QUIET_BELOW):
        look(wire, f"only {number}")
        wire.send({"type": "leave"})
        assert wire.read()["type"] == "waiting"


def look(wire: Wire, *interests: str) -> None:
    wire.send({"type": "find", "interests": list(interests)})


def test_a_window_pairs_for_the_most_shared_and_not_by_who_came_first(stack: ExitStack, tmp_path: Path) -> None:
    port = serve(stack, tmp_path, window="2")
    light, heavy, other_heavy, other_light = wires = [stack.enter_context(Wire(port)) for _ in range(4)]
    look(light, "music")
    look(heavy, "music", "chess")
    look(other_heavy, "music", "chess")
    look(other_light, "music")
    # on arrival the second would have met the first at once
    assert [wire.read()["type"] for wire in wires] == ["waiting"] * 4
    met = {wire: wire.until("matched") for wire in wires}
    assert met[heavy]["chat"] == met[other_heavy]["chat"] != met[light]["chat"] == met[other_light]["chat"]
    assert met[heavy]["common"] == ["chess", "music"]
    assert met[light]["common"] == ["music"]


def test_who_has_no_interests_waits_for_no_window(stack: ExitStack, tmp_path: Path) -> None:
    port = serve(stack, tmp_path, window="60")
    one, two = (stack.enter_context(Wire(port)) for _ in range(2))
    look(one)
    assert one.read()["type"] == "waiting"
    look(two)
    assert two.read()["type"] == one.read()["type"] == "matched"


def test_under_a_floor_a_light_pair_waits_and_a_heavy_one_meets_at_once(stack: ExitStack, tmp_path: Path) -> None:
    port = serve(stack, tmp_path, peak="80", falls_for="60", any_after="60", anyone_after="60")
    busy(stack, port)
    heavy, light, other_heavy = (stack.enter_context(Wire(port)) for _ in range(3))
    look(heavy, "chess", "tea", "film")
    assert heavy.read()["type"] == "waiting"
    look(light, "chess")
    assert light.read()["type"] == "waiting"  # to share all that one of them asked for is good, but under the floor
    look(other_heavy, "chess", "tea", "film")
    first = other_heavy.read()
    assert (first["type"], len(first["common"])) == ("matched", 3)
    assert heavy.read()["chat"] == first["chat"]
    light.quiet()


def test_a_floor_falls_until_the_light_pair_meets(stack: ExitStack, tmp_path: Path) -> None:
    port = serve(stack, tmp_path, peak="80", falls="4", falls_for="1", any_after="60", anyone_after="60")
    busy(stack, port)
    one, two = (stack.enter_context(Wire(port)) for _ in range(2))
    look(one, "chess")
    assert one.read()["type"] == "waiting"
    look(two, "chess")
    assert two.read()["type"] == "waiting"
    assert two.until("matched")["chat"] == one.until("matched")["chat"]
