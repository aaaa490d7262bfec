"""Derive an action from the checked pictures of a chat's two cameras: hide a video, pause it, or notify moderators.

**Invariant:** one picture alone only hides a video, and so does any number of them on a host without moderators. Pure functions without I/O; times
are monotonic seconds.
"""

#     one hit ─▷ veil, the next check soon ─┬─ two hits HITS_APART, the sender's own picture agrees or was withheld twice ─▷ moderators (NUDITY)
#                                           └─ three clean ones in a row ─▷ the veil is removed
#     a hit or an unsure verdict, and the sender's own picture differs ─▷ moderators (DIFFERS): one of the two lies
#     a hit in each of three chats of a day ─▷ moderators (NUDITY), each further chat too (`engine.conduct.daily_detections`)
#     a picture that is on a list ─▷ moderators (KNOWN)
#     three requested pictures in a row were not given ─▷ video is off for a while
#
# Each action is taken once per chat and camera. A picture is of one side's camera: `theirs` is sent by the other side, which sees it, `mine` by its
# owner. Times are monotonic seconds.

from typing import Any, Final

from engine.conduct.detection_consequences import DIFFERS, KNOWN, NUDITY

CLEAN: Final = "clean"
UNSURE: Final = "unsure"
HIT: Final = "hit"
UNDECIDED: Final = "undecided"  # too little visible
VERDICTS: Final = frozenset((CLEAN, UNSURE, HIT, UNDECIDED))
AGREES: Final = "agrees"
OPEN: Final = "open"
AGREEMENTS: Final = frozenset((AGREES, DIFFERS, OPEN))
# actions, besides a moderator's review
VEIL: Final = "veil"
UNVEIL: Final = "unveil"
SOON: Final = "soon"
ACTS: Final = (NUDITY, DIFFERS, KNOWN)  # bits of `told`, which is part of the session record: their order never changes

HITS_APART: Final = 5.0  # seconds: hits closer together count as one
HITS_KEPT: Final = 8  # last hits of a camera; two of them decide
CLEANS: Final = 3  # in a row, until the veil is removed
QUICK: Final = 5  # checks that follow hits soon, until one is clean: more of them would settle nothing
MISSES: Final = 3  # in a row
NEVER: Final = float("inf")
_COUNTS: Final = (
    "cleans",
    "quick",
    "told",
    "unseen",
    "unshown",
    "veiled",
)  # counters of a camera in the session record


class CheckResult:
    """Result of one check of a camera."""

    __slots__ = ("agreement", "at", "verdict", "withheld")

    def __init__(self, at: float = 0.0, verdict: str = "", agreement: str = "", withheld: bool = False) -> None:
        self.at = at  # when the other side's picture of it arrived; 0.0: not yet
        self.verdict = verdict  # one of VERDICTS; empty: not known yet
        self.agreement = agreement  # one of AGREEMENTS, once both pictures have arrived
        self.withheld = withheld  # its owner sent no picture, and could have


class Camera:
    """State of one side's camera, and the pictures that this side did not send."""

    __slots__ = ("cleans", "hits", "quick", "told", "unseen", "unshown", "veiled")

    def __init__(self) -> None:
        self.hits: list[CheckResult] = []
        self.cleans = 0  # in a row
        self.quick = 0  # quick checks after hits, since the last clean one
        self.veiled = False  # the other side was told to blur it
        self.told = 0  # bits of the ACTS that moderators were notified of
        self.unseen = 0  # pictures of the other side that this one did not send, in a row
        self.unshown = 0  # the same of its own camera

    def judged(self, sight: CheckResult, verdict: str, veils: bool) -> list[str]:
        """Record the verdict on a picture and return the actions. `veils`: a hit may be veiled. Only the first verdict of a check counts."""
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

    def _hit(self, sight: CheckResult, veils: bool) -> list[str]:
        self.hits = [*self.hits[1 - HITS_KEPT :], sight]
        follows = []
        if veils and not self.veiled:
            self.veiled = True
            follows.append(VEIL)
        if self.quick < QUICK and not self._was_told(NUDITY):
            self.quick += 1
            follows.append(SOON)
        return follows

    def compared(self, sight: CheckResult, agreement: str) -> list[str]:
        """Record whether both pictures agree and return the actions. Only the first comparison of a check counts."""
        if sight.agreement:
            return []
        sight.agreement = agreement
        return self._settled(sight)

    def held_back(self, sight: CheckResult) -> list[str]:
        """Record that the owner sent no picture though there is one, and return the actions."""
        sight.withheld = True
        return self._settled(sight)

    def known(self) -> list[str]:
        """Record that a picture is on a list, and return the actions."""
        return self._once(KNOWN)

    def _settled(self, sight: CheckResult) -> list[str]:
        follows = []
        if sight.agreement == DIFFERS and sight.verdict in (HIT, UNSURE):
            follows += self._once(DIFFERS)
        if self._confirmed():
            follows += self._once(NUDITY)
        return follows

    def _confirmed(self) -> bool:
        """Whether two hits confirm each other: HITS_APART, and the owner's own picture agrees, or was withheld both times."""
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
        """Count the pictures that this side failed to send in a check: of the other side, and of its own camera; None: not counted.

        Return whether it is the third in a row of either.
        """
        if theirs is not None:
            self.unseen = self.unseen + 1 if theirs else 0
        if mine is not None:
            self.unshown = self.unshown + 1 if mine else 0
        return max(self.unseen, self.unshown) >= MISSES


class PictureRequest:
    """Pictures requested from one side in a check, and those it sent."""

    __slots__ = ("mine", "nonce", "owes", "theirs", "why")

    def __init__(self, nonce: str, owes: bool) -> None:
        self.nonce = nonce
        self.owes = owes  # a picture of its own camera was requested too
        self.theirs = False  # its picture of the other side arrived
        self.mine = False
        self.why = ""  # why it cannot send one (`engine.wire.protocol.NO_SNAP`)

    @property
    def answered(self) -> bool:
        """Whether all requested pictures arrived."""
        return self.theirs and (self.mine or not self.owes)


def theirs_missed(ask: PictureRequest, other: PictureRequest | None) -> bool | None:
    """Whether a side failed to send its picture of the other one; None: presumably there was none. `other` None: that side was not asked."""
    if ask.theirs:
        return False
    saw_none = ask.why in ("camera", "early")
    if other is None:
        return None if saw_none else True
    if not other.mine and (saw_none or other.why == "camera"):
        return None  # one of the two says so and nothing contradicts it: a silent side must not cost the other one
    if ask.why == other.why == "early" and not other.theirs:
        return None  # the call was not established
    return True


def mine_missed(ask: PictureRequest, other: PictureRequest | None) -> bool | None:
    """Whether a side failed to send a picture of its own camera; None: it was not requested, or the camera is off and the other side saw none."""
    if ask.mine:
        return False
    if not ask.owes or (ask.why == "camera" and (other is None or not other.theirs)):
        return None
    return True


class CameraState:
    """Camera checks of a video chat: state of the cameras, and the time of the next check."""

    __slots__ = ("begun", "cameras", "due", "ended", "nonces")

    def __init__(self) -> None:
        self.cameras = (Camera(), Camera())  # by side
        self.begun = -NEVER  # when the last check began
        self.due = NEVER
        self.ended = False  # the call was ended, because pictures could not be checked
        self.nonces: list[str] = []  # of the last requests, oldest first

    # migration

    def leave(self, now: float) -> dict[str, Any]:
        """Export the state; the results of a check that is running are not counted."""
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


def entered(record: dict[str, Any], now: float) -> CameraState:
    """Import a state that `CameraState.leave` exported; its fields were validated (`engine.migrate.session_record`)."""
    looks = CameraState()
    for camera, fields in zip(looks.cameras, record["cameras"], strict=True):
        for name in _COUNTS:
            setattr(camera, name, fields.get(name, 0))
        camera.veiled = bool(camera.veiled)
        camera.hits = [
            CheckResult(now - age, HIT, said, bool(withheld)) for age, said, withheld in fields.get("hits", ())
        ]
    if "due" in record:
        looks.due = now + record["due"]
    looks.ended = "ended" in record
    return looks
