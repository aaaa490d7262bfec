"""A world whose cameras are looked at: draws and nonces are fixed, and what a browser and a program would say is said by hand."""

from collections.abc import Callable
from itertools import count
from typing import Any

from engine.conduct.camera_verdicts import CameraState
from engine.conduct.detection_consequences import Act
from engine.wire.rule_constants import ON, Settings
from tests.engine.moving import MovingWorld
from tests.engine.world import Wire

ANSWER = {"type": "answer", "sdp": "v=0"}
MIDDLE = 0.5
WITHIN = 10.0  # seconds until what is missing is counted
BOTH = ("theirs", "mine")
MEAN_GAP = 20.0 + 40.0 * 0.6931471805599453  # seconds: what a draw in the middle gives, at a mean of a minute


class Looking(MovingWorld):
    """`draws`: what comes next of them; then MIDDLE. `off`: pictures cannot be looked at now."""

    def __init__(
        self, *, keeps: bool = True, detected: Callable[[int, str, int], None] = lambda *_: None, **settings: Any
    ) -> None:
        self.draws: list[float] = []
        self.off = False
        self.asked: list[tuple[str, tuple[int, ...]]] = []
        self._nonces = count(1)
        self.told_off: list[tuple[int, float]] = []  # whose video is off, as other processes are told
        super().__init__(
            Settings(**{"pictures": ON, **settings}),
            keeps=keeps,
            make_nonces=self._snap,
            publish_detection=detected,
            publish_pause=lambda *row: self.told_off.append(row),
            draw_number=lambda: self.draws.pop(0) if self.draws else MIDDLE,
        )

    def _snap(self, chat: str, sides: tuple[int, ...]) -> tuple[str, ...]:
        self.asked.append((chat, sides))
        return () if self.off else tuple([f"{next(self._nonces):022d}" for _ in sides])

    def meet(self, first: int = 0, second: int = 0, **find: Any) -> tuple[Wire, Wire]:
        """Two in a video chat, by side; no answer passed yet."""
        wires = self.open(first), self.open(second)
        for wire in wires:
            self.send(wire, **{"type": "find", "mode": "video", "snaps": True, **find})
        for wire in wires:
            wire.take()
        one, two = sorted(wires, key=lambda wire: wire.session.seat.side)  # type: ignore[union-attr]
        return one, two

    def call(self, first: int = 0, second: int = 0, **find: Any) -> tuple[Wire, Wire]:
        """The same, and the answer passed: the first look is due."""
        one, two = self.meet(first, second, **find)
        self.send(one, type="signal", description=ANSWER)
        two.take()
        return one, two

    def looked(self, *wires: Wire, after: float = 0.0) -> list[str]:
        """Time goes by until the next look, which is `after` seconds away; the nonce that each of them is asked by."""
        self.wait(after)
        nonces = []
        for wire in wires:
            (frame,) = [frame for frame in wire.take() if frame["type"] == "snap"]
            nonces.append(frame["nonce"])
        return nonces

    def says(self, nonce: str, *whats: str) -> None:
        """What the server's side tells of a nonce."""
        for what in whats:
            self.engine.pictured(nonce, what, self.now)
        self.settle()

    def clean(self, *nonces: str) -> None:
        """All is given, and nothing is to be seen."""
        for nonce in nonces:
            self.says(nonce, "theirs", "mine", "clean", "agrees")

    def acts(self) -> list[tuple[int, Act]]:
        """What people are told of: at which side the seat is, and what."""
        return [(seat.side, what) for _, seat, what in self.kept if isinstance(what, Act)]

    def find(self, wire: Wire, **more: Any) -> dict[str, Any]:
        """The last answer to a search for another video chat."""
        frame: dict[str, Any] = self.send(wire, **{"type": "find", "mode": "video", "snaps": True, **more})[-1]
        return frame


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    """Their types."""
    return [frame["type"] for frame in frames]


def veils(frames: list[dict[str, Any]]) -> list[tuple[bool, str]]:
    """The `veil` among them."""
    return [(frame["on"], frame["why"]) for frame in frames if frame["type"] == "veil"]


def looks_of(wire: Wire) -> CameraState:
    """What is known of the cameras of their chat."""
    seat = wire.session.seat
    assert seat is not None
    assert seat.chat.looks is not None
    return seat.chat.looks


def due(world: Looking) -> float:
    """Seconds until the next look."""
    ((number, chat),) = world.engine._snaps._chats.items()
    assert chat.looks is not None
    look = world.engine._snaps._open.get(number)
    return max(chat.looks.due, look.until if look is not None else 0.0) - world.now


def misses(
    world: Looking, one: Wire, two: Wire, given: tuple[tuple[str, ...], tuple[str, ...]], times: int = 3
) -> None:
    """So many looks, of which the one gives this and the other that; a reason is said by `nosnap`."""
    for _ in range(times):
        world.wait(max(0.0, due(world)))
        for wire, gives in ((one, given[0]), (two, given[1])):
            for frame in [frame for frame in wire.take() if frame["type"] == "snap"]:
                world.says(frame["nonce"], *[what for what in gives if what in ("theirs", "mine")])
                for why in [what for what in gives if what in ("camera", "hidden", "early")]:
                    assert kinds(world.send(wire, type="nosnap", nonce=frame["nonce"], why=why)) == []
        world.wait(WITHIN)


def hits(world: Looking, one: Wire, two: Wire, given: tuple[str, ...], mine: bool, times: int = 2) -> None:
    """The stranger of the one shows something, in so many looks; `given`: what is said of the one's picture; `mine`: the stranger gives theirs."""
    for _ in range(times):
        nonces = world.looked(one, two, after=max(0.0, due(world)))
        world.draws = [0.9]  # nearly 6 s until the next: two are 5 s apart
        world.says(nonces[0], "theirs", "mine", "hit", *given)
        world.draws = []
        world.says(nonces[1], "theirs", *(("mine",) if mine else ()), "clean")
