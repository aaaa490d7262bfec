"""What pictures said of the two cameras of a chat, and what follows.

Rule: pure; a program veils and tells people, and of one picture no more than a veil.

    one hit ─▷ veil, the next look soon ─┬─ two hits HITS_APART, the sender's own picture agrees or was withheld twice ─▷ people look (NUDITY)
                                         └─ three clean ones in a row ─▷ no veil any more
    a hit, or not sure, and the sender's own picture shows something else ─▷ people look (DIFFERS): one of the two lies
    a picture that is on a list ─▷ people look (KNOWN)
    three pictures in a row that somebody was asked for and did not give ─▷ their video is off for a while

Each of these is told once a chat and camera. A picture is of one side's camera: `theirs` is what the other side sees of it, `mine` what its
owner gives. Times are monotonic seconds.
"""

from typing import Any, Final

from engine.conduct.detection_actions import DIFFERS, KNOWN, NUDITY

CLEAN: Final = "clean"
UNSURE: Final = "unsure"
HIT: Final = "hit"
UNDECIDED: Final = "undecided"  # too little to be seen
VERDICTS: Final = frozenset((CLEAN, UNSURE, HIT, UNDECIDED))
AGREES: Final = "agrees"
OPEN: Final = "open"
AGREEMENTS: Final = frozenset((AGREES, DIFFERS, OPEN))
# what follows, beside what people look at
VEIL: Final = "veil"
UNVEIL: Final = "unveil"
SOON: Final = "soon"
ACTS: Final = (NUDITY, DIFFERS, KNOWN)  # each a bit of `told`, which goes along: their order never changes

HITS_APART: Final = 5.0  # seconds: one moment is one hit
HITS_KEPT: Final = 8  # of a camera, the last ones: two of them decide
CLEANS: Final = 3  # in a row, until the veil is taken away
QUICK: Final = 5  # looks that follow hits soon, until one is clean: what they do not settle, more of them do not
MISSES: Final = 3  # in a row
NEVER: Final = float("inf")
_COUNTS: Final = ("cleans", "quick", "told", "unseen", "unshown", "veiled")  # of a camera, as they go along


class Sight:
    """What one look brought about a camera."""

    __slots__ = ("agreement", "at", "verdict", "withheld")

    def __init__(self, at: float = 0.0, verdict: str = "", agreement: str = "", withheld: bool = False) -> None:
        self.at = at  # when the other side's picture of it came; 0.0: not yet
        self.verdict = verdict  # one of VERDICTS, once it is there
        self.agreement = agreement  # one of AGREEMENTS, once both pictures are
        self.withheld = withheld  # its owner did not give one, and could have


class Camera:
    """One side's camera, and what that side did not give."""

    __slots__ = ("cleans", "hits", "quick", "told", "unseen", "unshown", "veiled")

    def __init__(self) -> None:
        self.hits: list[Sight] = []
        self.cleans = 0  # in a row
        self.quick = 0  # looks soon after a hit, since one was clean
        self.veiled = False  # the other side was told to blur it
        self.told = 0  # which of ACTS people were told of
        self.unseen = 0  # pictures of the other side that this one did not give, in a row
        self.unshown = 0  # the same of its own camera

    def judged(self, sight: Sight, verdict: str, veils: bool) -> list[str]:
        """A picture of it was looked at; what follows. `veils`: a hit may be veiled. The first verdict of a look counts."""
        if sight.verdict:
            return []
        sight.verdict = verdict
        if verdict == CLEAN:
            self.cleans += 1
            self.quick = 0
            if self.veiled and self.cleans >= CLEANS:
                self.veiled = False
                return [UNVEIL]
            return []
        self.cleans = 0
        follows = self._hit(sight, veils) if verdict == HIT else []
        return follows + self._settled(sight)

    def _hit(self, sight: Sight, veils: bool) -> list[str]:
        self.hits = [*self.hits[1 - HITS_KEPT :], sight]
        follows = []
        if veils and not self.veiled:
            self.veiled = True
            follows.append(VEIL)
        if self.quick < QUICK and not self._was_told(NUDITY):
            self.quick += 1
            follows.append(SOON)
        return follows

    def compared(self, sight: Sight, agreement: str) -> list[str]:
        """What the other side sees was held against what its owner gave; what follows. The first word of a look counts."""
        if sight.agreement:
            return []
        sight.agreement = agreement
        return self._settled(sight)

    def held_back(self, sight: Sight) -> list[str]:
        """Its owner gave no picture of it, though there is one; what follows."""
        sight.withheld = True
        return self._settled(sight)

    def known(self) -> list[str]:
        """A picture of it is on a list; what follows."""
        return self._once(KNOWN)

    def _settled(self, sight: Sight) -> list[str]:
        follows = []
        if sight.agreement == DIFFERS and sight.verdict in (HIT, UNSURE):
            follows += self._once(DIFFERS)
        if self._confirmed():
            follows += self._once(NUDITY)
        return follows

    def _confirmed(self) -> bool:
        """Whether two hits stand together: far enough apart, and its owner's own picture agrees, or was withheld both times."""
        hits = self.hits
        for place, one in enumerate(hits):
            for other in hits[:place]:
                agreed = AGREES in (one.agreement, other.agreement) or (one.withheld and other.withheld)
                if agreed and one.at - other.at >= HITS_APART:
                    return True
        return False

    def _was_told(self, what: str) -> bool:
        return bool(self.told >> ACTS.index(what) & 1)

    def _once(self, what: str) -> list[str]:
        if self._was_told(what):
            return []
        self.told |= 1 << ACTS.index(what)
        return [what]

    def missed(self, theirs: bool | None, mine: bool | None) -> bool:
        """A look is over: whether this side failed to give a picture of the other one, and of its own camera; None: that is not counted.

        Gives whether it is the third in a row of either.
        """
        if theirs is not None:
            self.unseen = self.unseen + 1 if theirs else 0
        if mine is not None:
            self.unshown = self.unshown + 1 if mine else 0
        return max(self.unseen, self.unshown) >= MISSES


class Ask:
    """What one side was asked for in a look, and what it gave."""

    __slots__ = ("mine", "nonce", "owes", "theirs", "why")

    def __init__(self, nonce: str, owes: bool) -> None:
        self.nonce = nonce
        self.owes = owes  # a picture of its own camera was asked for too
        self.theirs = False  # its picture of the other side came
        self.mine = False
        self.why = ""  # why it says that it cannot (`engine.wire.protocol.NO_SNAP`)

    @property
    def answered(self) -> bool:
        """Whether all that was asked for came."""
        return self.theirs and (self.mine or not self.owes)


def theirs_missed(ask: Ask, other: Ask | None) -> bool | None:
    """Whether a side failed to give its picture of the other; None: there was none, as far as can be known. `other` None: that side was not asked."""
    if ask.theirs:
        return False
    saw_none = ask.why in ("camera", "early")
    if other is None:
        return None if saw_none else True
    if not other.mine and (saw_none or other.why == "camera"):
        return None  # one of the two says so, and nothing speaks against it: who is silent beside shall cost the other nothing
    if ask.why == other.why == "early" and not other.theirs:
        return None  # the call did not come about
    return True


def mine_missed(ask: Ask, other: Ask | None) -> bool | None:
    """Whether a side failed to give a picture of its own camera; None: it was not asked for, or the camera is off, and the other side saw none."""
    if ask.mine:
        return False
    if not ask.owes or (ask.why == "camera" and (other is None or not other.theirs)):
        return None
    return True


class Looks:
    """What is known of a video chat by looks at its cameras, and when the next one comes."""

    __slots__ = ("begun", "cameras", "due", "ended", "nonces")

    def __init__(self) -> None:
        self.cameras = (Camera(), Camera())  # by side
        self.begun = -NEVER  # when the last one did
        self.due = NEVER
        self.ended = False  # the call was hung up: pictures could not be checked
        self.nonces: list[str] = []  # of the last asks, the oldest first

    # from and to another process

    def leave(self, now: float) -> dict[str, Any]:
        """What goes along: what looks that are under way bring is not counted."""
        record: dict[str, Any] = {"cameras": [_written(camera, now) for camera in self.cameras]}
        if self.due < NEVER:
            record["due"] = self.due - now
        if self.ended:
            record["ended"] = 1
        return record


def _written(camera: Camera, now: float) -> dict[str, Any]:
    record: dict[str, Any] = {name: int(getattr(camera, name)) for name in _COUNTS if getattr(camera, name)}
    if camera.hits:
        record["hits"] = [(now - one.at, one.agreement, int(one.withheld)) for one in camera.hits]
    return record


def entered(record: dict[str, Any], now: float) -> Looks:
    """What `Looks.leave` gave elsewhere; its fields were checked (`engine.migrate.session_record`)."""
    looks = Looks()
    for camera, fields in zip(looks.cameras, record["cameras"], strict=True):
        for name in _COUNTS:
            setattr(camera, name, fields.get(name, 0))
        camera.veiled = bool(camera.veiled)
        camera.hits = [Sight(now - age, HIT, said, bool(withheld)) for age, said, withheld in fields.get("hits", ())]
    if "due" in record:
        looks.due = now + record["due"]
    looks.ended = "ended" in record
    return looks
