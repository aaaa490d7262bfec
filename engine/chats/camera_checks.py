"""Check the cameras of video chats: request pictures from both browsers at unpredictable times.

A check begins after the first WebRTC `answer`, after a report, 3 to 6 s after a suspicious picture, and else at random times with a configured
mean. `engine.conduct.camera_verdicts` decides what follows from a picture.
**Invariant:** one check runs per chat, and all tables are bounded.
"""

# Times of the next checks are in a heap; an entry is valid while it equals `CameraState.due` or the end of the running check. A picture's nonce is
# known for SIGHT_FOR seconds, even after the chat: a late picture can notify moderators, but hides no video (a veil) and counts for neither side.
# Counters, for metrics: `snap` asked, answered, nosnap, missed, and each verdict; `agreement` by result; `veil` on, off, unchecked.

from math import ceil, log
from typing import Final

from engine.chats.safety_tips import LineTips
from engine.conduct.camera_verdicts import (
    AGREEMENTS,
    HIT,
    NEVER,
    SOON,
    UNVEIL,
    VEIL,
    VERDICTS,
    CameraState,
    CheckResult,
    PictureRequest,
    mine_missed,
    theirs_missed,
)
from engine.conduct.detection_consequences import KNOWN, LIMITS, NUDITY, Act
from engine.core.chat import Chat, Seat
from engine.core.engine_state import EngineState
from engine.core.session import Session
from engine.core.states import CHATTING, GONE
from engine.wire.client_requests import NoSnap
from engine.wire.engine_errors import Refusal
from engine.wire.protocol import PROGRAM, SNAP_WITHIN
from engine.wire.rule_constants import (
    CLOSE_POINTS,
    LOOK_AGAIN,
    LOOK_CLOSE,
    LOOK_GRACE,
    LOOK_LEAST,
    LOOK_SOON,
    LOOK_SPREAD,
    LOOKS_A_TICK,
    NONCES_KEPT,
    NONE,
    OFF,
    ON,
    PAUSE,
    PAUSED_FOR,
    SIGHT_FOR,
    UNCHECKED_FOR,
)
from engine.wire.server_frames import HUNG_UP, UNCHECKED, UNVEILED, VEILED, snap
from ext.accept.address_limits import key_of
from ext.base.ageing_map import AgeingMap
from ext.match.due_heap import DueHeap

SLACK: Final = 64  # stale entries of the heap, beyond four per chat, before it is rebuilt
SURE: Final = 0.999_999  # maximum of a draw: a gap is at most fourteen times its mean

There = tuple[tuple[Session, Seat], tuple[Session, Seat]]  # the two sessions and seats of a chat, by side

BOTH: Final = 0b11  # of `Chat.lifted`: both curtains
SHOWN: Final = 0b100  # of `Chat.lifted`: both were lifted before


class CameraCheck:
    """One check of the cameras of a chat."""

    __slots__ = ("asks", "chat", "conns", "looks", "sights", "there", "until")

    def __init__(
        self, chat: Chat, looks: CameraState, there: There, asks: dict[int, PictureRequest], until: float
    ) -> None:
        self.chat = chat
        self.looks = looks
        self.there = there
        self.asks = asks  # by side
        self.until = until
        self.conns = tuple([session.conn for session, _ in there])
        self.sights = (CheckResult(), CheckResult())  # of each side's camera


class CameraChecks:
    """Camera checks of the engine. `mean`: seconds between two checks; 0.0: none at present."""

    __slots__ = ("_asked", "_chats", "_core", "_heap", "_open", "_tips", "mean")

    def __init__(self, core: EngineState, tips: LineTips) -> None:
        self._core = core
        self._tips = tips
        self.mean = core.settings.snap_mean
        self._chats: dict[int, Chat] = {}  # chats that are checked, by number
        self._heap = DueHeap()
        self._open: dict[int, CameraCheck] = {}  # running checks, by the chat's number
        self._asked: AgeingMap[str, tuple[CameraCheck, int]] = (
            AgeingMap()
        )  # nonce to the check and the side that was asked

    def __len__(self) -> int:
        return len(self._chats)

    # who may have video

    def hold(self, session: Session, snaps: bool, now: float) -> None:
        """Refuse a search for a video chat if video is not possible; `snaps`: the client answers `snap`. Raises Refusal."""
        settings = self._core.settings
        left = self._core.pauses.left(session.person, now)
        if left > 0:
            raise Refusal("snaps", "find", None, ceil(left))
        if settings.pictures == OFF or not self.mean:
            return
        if session.way & PROGRAM:
            if not settings.snap_programs:
                raise Refusal("snaps", "find")
        elif settings.snaps_required and not snaps:
            raise Refusal("snaps", "find")

    def covers(self, chat: Chat) -> bool:
        """Whether a side of a video chat answers checks, if they are required: two programs cannot, and get no call."""
        settings = self._core.settings
        if settings.pictures == OFF or not self.mean or not settings.snaps_required:
            return True
        there = self._there(chat)
        return there is None or any(session.snaps and not session.way & PROGRAM for session, _ in there)

    # times of checks

    def answered(self, chat: Chat, now: float) -> None:
        """Schedule the first check: the answer to an offer passed, so that from now on there may be a picture."""
        settings = self._core.settings
        if settings.pictures == ON and self.mean and chat.looks is None:
            chat.looks = CameraState()
            if settings.snap_share >= 1 or self._core.outside.draw_number() < settings.snap_share:
                self._plan(chat, chat.looks, now)

    def curtain(self, chat: Chat, side: int, drawn: bool, now: float) -> None:
        """Note that a side drew or lifted its curtain. Check when both are lifted: from now on each sees the other.

        The first time at once, later LOOK_LEAST after the last check at the earliest.
        """
        before, looks = chat.lifted, chat.looks
        chat.lifted = before & ~(1 << side) if drawn else before | 1 << side
        if before & BOTH == BOTH or chat.lifted & BOTH != BOTH:
            return
        again, chat.lifted = bool(before & SHOWN), chat.lifted | SHOWN
        if looks is None or looks.due == NEVER:
            return
        due = max(now, looks.begun + LOOK_LEAST) if again else now
        if due < looks.due:
            self._plan(chat, looks, due)

    def reported(self, chat: Chat, now: float) -> None:
        """Check at once: one of the two reported the other."""
        if self._core.settings.pictures != OFF and chat.video:
            looks = chat.looks = chat.looks or CameraState()
            if not looks.ended:
                self._plan(chat, looks, now)

    def suspected(self, session: Session, now: float) -> None:
        """Check soon, LOOK_LEAST after the last check at the earliest: a picture that a user sent unasked is suspicious."""
        seat = session.seat
        looks = seat.chat.looks if seat is not None else None
        if seat is None or looks is None or looks.ended or self._core.settings.pictures != ON or not self.mean:
            return
        due = max(now + LOOK_SOON * (1 + self._core.outside.draw_number()), looks.begun + LOOK_LEAST)
        if due < looks.due:
            self._plan(seat.chat, looks, due)

    def _plan(self, chat: Chat, looks: CameraState, due: float) -> None:
        """Schedule the next check."""
        number = int(chat.id, 16)
        self._chats[number] = chat
        looks.due = due
        self._push(due, number)

    def _push(self, due: float, number: int) -> None:
        self._heap.push(due, number)
        if len(self._heap) > 4 * len(self._chats) + SLACK:
            self._heap = DueHeap()
            for other, chat in self._chats.items():
                if chat.looks is not None and chat.looks.due < NEVER:
                    self._heap.push(chat.looks.due, other)
            for other, look in self._open.items():
                self._heap.push(look.until, other)

    def due(self) -> float | None:
        """Return when `tick` has work next; None: never. May be early."""
        if not self._chats:
            return None
        first = self._heap.first()
        return None if first is None else first[0]

    def tick(self, now: float) -> None:
        """End and begin the checks that are due, at most LOOKS_A_TICK."""
        if not self._chats:
            return
        for _ in range(LOOKS_A_TICK):
            first = self._heap.first()
            if first is None or first[0] > now:
                return
            self._heap.drop()
            look = self._open.get(first[1])
            if look is not None and look.until <= now:
                self._over(first[1], look, now)
            chat = self._chats.get(first[1])
            if chat is not None and first[1] not in self._open and chat.looks is not None and chat.looks.due <= now:
                self._begin(first[1], chat, chat.looks, now)

    def sweep(self, now: float) -> None:
        """Drop the nonces that are too old for a verdict."""
        self._asked.expire(now)

    def _gap(self, there: There, now: float) -> float:
        """Draw the seconds until the next random check."""
        mean = self.mean or self._core.settings.snap_mean
        least = min(LOOK_LEAST, self._core.settings.snap_mean)
        if any(self._close(session, now) for session, _ in there):
            mean *= min(1.0, LOOK_CLOSE / self._core.settings.snap_mean)
        return least - max(mean - least, LOOK_SPREAD) * log(1.0 - min(self._core.outside.draw_number(), SURE))

    def _close(self, session: Session, now: float) -> bool:
        network = key_of(session.address)
        return self._core.friction.current_points(session.person, session.identity, network, now) >= CLOSE_POINTS

    # one check

    def _there(self, chat: Chat) -> There | None:
        """Return the two sessions and seats while the chat runs."""
        one, two = self._tips.at(chat.id, 0), self._tips.at(chat.id, 1)
        if one is None or two is None or one.seat is None or two.seat is None:
            return None
        return (one, one.seat), (two, two.seat)

    def _begin(self, number: int, chat: Chat, looks: CameraState, now: float) -> None:
        there = self._there(chat)
        if there is None:
            self.over(chat)
            return
        if not (there[0][0].conn and there[1][0].conn) or there[0][1].held:  # a held call shows no picture
            self._plan(chat, looks, now + LOOK_AGAIN)
            return
        sides = [side for side in (0, 1) if there[side][0].snaps and not there[side][0].way & PROGRAM]
        if sides and (self._core.settings.pictures == ON or looks.cameras[0].veiled or looks.cameras[1].veiled):
            self._plan(chat, looks, now + self._gap(there, now))
        else:
            looks.due = NEVER
        looks.begun = now
        nonces = self._core.outside.make_nonces(chat.id, tuple(sides)) if sides else ()
        if len(nonces) == len(sides) and sides:
            self._ask(number, CameraCheck(chat, looks, there, {}, now + SNAP_WITHIN + LOOK_GRACE), sides, nonces)
        elif looks.due == NEVER:
            self._drop(number)

    def _ask(self, number: int, look: CameraCheck, sides: list[int], nonces: tuple[str, ...]) -> None:
        self._open[number] = look
        self._push(look.until, number)
        both = len(sides) == 2
        for side, nonce in zip(sides, nonces, strict=True):
            look.asks[side] = PictureRequest(nonce, both)
            self._asked.put(nonce, (look, side), look.until + SIGHT_FOR)
            self._core.count("snap asked")
            self._core.send(look.there[side][0].conn, snap(nonce, both))
        known = look.looks.nonces
        known += nonces
        for nonce in known[:-NONCES_KEPT]:
            self._asked.pop(nonce)
        del known[:-NONCES_KEPT]

    def refused(self, session: Session, request: NoSnap) -> None:
        """Handle a `nosnap`; one for an unknown, foreign or answered request is ignored."""
        look, side = self._asked.get(request.nonce) or (None, 0)
        if look is not None and look.there[side][0] is session and not look.asks[side].why:
            look.asks[side].why = request.why
            self._core.count("snap nosnap")

    def pictured(self, nonce: str, what: str, now: float) -> None:
        """Handle a picture (`theirs`, `mine`) or its result: one of VERDICTS, of AGREEMENTS, or `known`. Unknown nonces are ignored."""
        look, side = self._asked.get(nonce) or (None, 0)
        if look is None:
            return
        ask, sight, camera = look.asks[side], look.sights[1 - side], look.looks.cameras[1 - side]
        if what in ("theirs", "mine"):
            self._came(look, ask, sight, what, now)
        elif what in VERDICTS:
            is_first = not sight.verdict
            if is_first:
                self._core.count("snap " + what)
            sight.at = sight.at or now
            veils = self._core.settings.veil != NONE and look.chat.looks is look.looks
            if is_first and what == HIT:
                self._count(look, 1 - side, now)
            self._follow(look, 1 - side, camera.judged(sight, what, veils), now)
        elif what in AGREEMENTS:
            if not sight.agreement:
                self._core.count("agreement " + what)
            self._follow(look, 1 - side, camera.compared(sight, what), now)
        elif what == KNOWN:
            self._follow(look, 1 - side, camera.known(), now)

    def _came(self, look: CameraCheck, ask: PictureRequest, sight: CheckResult, what: str, now: float) -> None:
        if what == "mine":
            ask.mine = True
        else:
            ask.theirs = True
            sight.at = sight.at or now
            self._core.count("snap answered")
        number = int(look.chat.id, 16)
        if self._open.get(number) is look and all(each.answered for each in look.asks.values()):
            self._over(number, look, now)

    def _over(self, number: int, look: CameraCheck, now: float) -> None:
        """End a check that timed out or was answered: count missing pictures, if both stayed connected all the time and the chat is not held."""
        del self._open[number]
        if look.looks.due <= now:
            self._push(look.looks.due, number)
        there = self._there(look.chat)
        if there is None or any(
            session.conn != conn or seat.held for (session, seat), conn in zip(there, look.conns, strict=True)
        ):
            return
        off = []
        for side, ask in look.asks.items():
            other, camera = look.asks.get(1 - side), look.looks.cameras[side]
            theirs, mine = theirs_missed(ask, other), mine_missed(ask, other)
            if theirs or mine:
                self._core.count("snap missed")
            if camera.missed(theirs, mine):
                off.append(side)
            if mine:
                self._follow(look, side, camera.held_back(look.sights[side]), now)
        for side in off:
            self._put_off(look, side, UNCHECKED_FOR, now)

    # actions

    def _follow(self, look: CameraCheck, side: int, follows: list[str], now: float) -> None:
        """Take the actions for a side's camera."""
        session, seat = look.there[side]
        for what in follows:
            if what == SOON:
                due = now + LOOK_SOON * (1 + self._core.outside.draw_number())
                if look.chat.looks is look.looks and not look.looks.ended and due < look.looks.due:
                    self._plan(look.chat, look.looks, due)
            elif what == VEIL:
                self._tell(look.chat, 1 - side, VEILED, "on")
            elif what == UNVEIL:
                self._tell(look.chat, 1 - side, UNVEILED, "off")
            elif self._core.keeps:  # else no moderator could look at it
                self._act(session, seat, what, side, now)
                if what == NUDITY and self._core.settings.veil == PAUSE:
                    self._put_off(look, side, PAUSED_FOR, now)

    def _act(self, session: Session, seat: Seat, what: str, side: int, now: float) -> None:
        """Show moderators a side's camera: once per chat and cause, as pictures that come later are added to the case."""
        if (side, what) not in seat.chat.found:
            seat.chat.found[side, what] = 0  # it counts in a report
            earlier = self._core.earlier(session, what, seat.chat.id, now)
            self._core.out.keep((session, seat, Act(what, side, 0, earlier)))

    def _count(self, look: CameraCheck, side: int, now: float) -> None:
        """Count a hit for the day: the partner often ends the chat before a second hit, so chats confirm each other."""
        session, seat = look.there[side]
        chats = self._core.detected(session, NUDITY, look.chat.id, now)
        if chats >= LIMITS[NUDITY].case and self._core.keeps:
            self._act(session, seat, NUDITY, side, now)

    def _tell(self, chat: Chat, side: int, frame: bytes, what: str) -> None:
        session = self._tips.at(chat.id, side)
        if session is not None:
            self._core.count("veil " + what)
            if session.conn:
                self._core.send(session.conn, frame)

    def _put_off(self, look: CameraCheck, side: int, seconds: float, now: float) -> None:
        """Pause the video of the person at a side: the call ends, and the chat continues by text."""
        session = look.there[side][0]
        self._core.pauses.put(session.person, seconds, now)
        if session.identity or session.state == GONE:  # migrated meanwhile, to another host or to a partner
            self._core.outside.publish_pause(session.person, seconds)
        if look.chat.looks is look.looks:
            self._hang_up(look.chat, look.looks, UNCHECKED)

    def pause(self, session: Session, seconds: float, now: float) -> None:
        """Pause a user's video by an operator's order; a running call ends, and the chat continues by text."""
        self._core.pauses.put(session.person, seconds, now)
        if session.identity:
            self._core.outside.publish_pause(session.identity, seconds)
        seat = session.seat
        chat = None if seat is None or session.state != CHATTING else seat.chat
        if chat is not None and chat.video:
            looks = chat.looks = chat.looks or CameraState()
            self._hang_up(chat, looks, HUNG_UP)

    def _hang_up(self, chat: Chat, looks: CameraState, frame: bytes) -> None:
        """End the call of a chat: both sides get `frame`, and no signal is relayed any more."""
        if not looks.ended:
            looks.ended, looks.due = True, NEVER
            for told in (0, 1):
                self._tell(chat, told, frame, "unchecked")
            self._drop(int(chat.id, 16))

    def back(self, session: Session, seat: Seat) -> None:
        """Repeat the state of the call to a user who is back in their chat, whose page may have lost it."""
        looks = seat.chat.looks
        if looks is not None and looks.ended:
            self._core.send(session.conn, UNCHECKED)
        elif looks is not None and looks.cameras[1 - seat.side].veiled:
            self._core.send(session.conn, VEILED)

    def over(self, chat: Chat) -> None:
        """End the checks of a chat that ended."""
        chat.looks = None
        self._drop(int(chat.id, 16))

    def _drop(self, number: int) -> None:
        """Remove a chat from the tables."""
        self._chats.pop(number, None)
        self._open.pop(number, None)
        if not self._chats:
            self._heap = DueHeap()

    # migration

    def release(self, chat: Chat) -> None:
        """Remove a chat that migrates; the pictures requested here are not counted."""
        for nonce in chat.looks.nonces if chat.looks is not None else ():
            self._asked.pop(nonce)
        self._drop(int(chat.id, 16))

    def enter(self, chat: Chat) -> None:
        """Schedule the checks of a chat that migrated here."""
        if chat.looks is not None and chat.looks.due < NEVER:
            self._plan(chat, chat.looks, chat.looks.due)
