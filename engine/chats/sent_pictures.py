"""Let the two of a chat send each other pictures, once both allow it.

The engine decides whether a picture may be sent, and passes on its key; the bytes go over HTTP to the process that checks and holds them
(`server.trust.pictures.picture_relay`), which answers with one of RESULTS. `resumed` repeats what a chat allows and has; a chat record does not.
**Invariant:** a picture is announced to the partner only while both sides allow pictures, and after its check.
"""

from typing import Any, Final

from engine.chats.safety_tips import LineTips
from engine.conduct.camera_verdicts import CLEAN, HIT, UNDECIDED, UNSURE
from engine.conduct.detection_consequences import KNOWN, LIMITS, NUDITY, Act
from engine.core.bus_messages import PicturesAllowed, PictureSent
from engine.core.chat import BOTH_ALLOW, Album, Chat, Seat, SentPicture
from engine.core.engine_state import EngineState
from engine.core.session import Session
from engine.core.states import CHATTING, PARTED
from engine.wire.client_requests import Picture, Pictures
from engine.wire.engine_errors import Refusal
from engine.wire.protocol import (
    ALLOW_BURST,
    ALLOW_RATE,
    SENT_BURST,
    SENT_MOST,
    SENT_RATE,
    SENT_WITHIN,
    UNSAFE_MOST,
    WATCHER,
)
from engine.wire.rule_constants import NONE, OFF, ON, PAUSE, PAUSED_FOR
from engine.wire.server_frames import error, picture, pictures, upload
from ext.base.ageing_map import AgeingMap

UNCHECKED: Final = "unchecked"  # it could not be checked; with the setting `checked` it is refused
REFUSED: Final = "refused"  # it is no picture of the promised kind
RESULTS: Final = frozenset((CLEAN, UNSURE, HIT, UNDECIDED, UNCHECKED, REFUSED, KNOWN))
KEYS_MOST: Final = (
    2 * SENT_MOST
)  # of a side in a chat: some uploads fail, and refused pictures take memory and time too
ANSWER_WITHIN: Final = SENT_WITHIN + 30.0  # seconds from the key to the result of the check


class SentPictures:
    """Pictures of the chats of the engine. `checked`: pictures can be checked now."""

    __slots__ = ("_core", "_paid", "_sending", "_tips", "_under_way", "checked")

    def __init__(self, core: EngineState, tips: LineTips) -> None:
        self._core = core
        self._tips = tips
        self.checked = False
        # by key: the chat, the side, and the id that the sender gave
        self._under_way: AgeingMap[str, tuple[str, int, str]] = AgeingMap()
        # until when a side has paid for its wishes and its pictures, by chat, side and kind
        self._paid: AgeingMap[tuple[str, int, str], float] = AgeingMap()
        self._sending: AgeingMap[tuple[str, int], str] = (
            AgeingMap()
        )  # the key by chat and side: each side has one at a time

    # wishes

    def allow(self, session: Session, request: Pictures, now: float) -> None:
        """Note whether this side allows pictures, and tell the partner of a change. Raises Refusal."""
        seat, album = self._album(session, "pictures")
        chat, bit = seat.chat, 1 << seat.side
        if request.allow:
            self._check(session, seat, album, "pictures", None, now)
        if bool(album.allowed & bit) is request.allow:
            return
        if request.allow:
            self._pay(seat, now, ALLOW_BURST, ALLOW_RATE, "pictures", None)
        album.allowed = album.allowed | bit if request.allow else album.allowed & ~bit
        self._core.count("picture allowed" if request.allow else "picture ended")
        message = PicturesAllowed(chat.id, seat.side, request.allow)
        for _, address in seat.others:
            self._core.post(address, message)

    def allowed(self, session: Session, message: PicturesAllowed) -> None:
        """Tell a user of the partner's wish. A user who is away gets it with `resumed`."""
        if self._is_at(session, message.chat):
            self._core.send(session.conn, pictures(message.allow))

    # pictures

    def send(self, session: Session, request: Picture, now: float) -> None:
        """Answer with a key to upload a picture; with another one if the first did not lead to a result, for the same id. Raises Refusal."""
        id = request.id
        seat, album = self._album(session, "picture", id)
        chat = seat.chat
        if album.allowed & BOTH_ALLOW != BOTH_ALLOW:
            raise Refusal("pictures", "picture", id)
        self._check(session, seat, album, "picture", id, now)
        key = self._sending.get((chat.id, seat.side), now)
        again = key is not None and (entry := self._under_way.get(key, now)) is not None and entry[2] == id
        if seat.paused or not (key is None or again):
            raise Refusal("too_fast", "picture", id, 1.0)
        self._pay(seat, now, SENT_BURST, SENT_RATE, "picture", id)
        key = self._core.outside.make_upload_key(chat.id, seat.side)
        if not key:
            raise Refusal("pictures", "picture", id)
        album.keys[seat.side] += 1
        self._under_way.put(key, (chat.id, seat.side, id), now + ANSWER_WITHIN, now)
        self._sending.put((chat.id, seat.side), key, now + ANSWER_WITHIN, now)
        self._core.count("picture asked")
        self._core.send(session.conn, upload(id, key, SENT_WITHIN))

    def judged(self, key: str, result: str, now: float) -> None:
        """Handle the result for an uploaded picture; one for an unknown key is ignored."""
        if result not in RESULTS or (entry := self._under_way.pop(key)) is None:
            return
        name, side, id = entry
        newest = self._sending.get((name, side), now) in (
            None,
            key,
        )  # else the sender asked for another key with this id
        if newest:
            self._sending.pop((name, side))
        self._core.count("picture " + result)
        there = self._tips.who(name, side)
        if there is None:
            return
        session, seat = there
        album = seat.chat.attached.album
        if result == KNOWN and self._core.keeps:  # who left at once too
            self._act(session, seat, KNOWN, now)
        if album is None or session.seat is not seat or session.state != CHATTING:
            return  # the chat is over
        if result == HIT:
            self._count(session, seat, album, now)
        if not newest:
            self._core.outside.withdraw_picture(key)
            return
        both = album.allowed & BOTH_ALLOW == BOTH_ALLOW
        checked = self._core.settings.sends == ON or result != UNCHECKED
        if result in (REFUSED, KNOWN) or not (both and checked):
            self._core.outside.withdraw_picture(key)
            self._refuse(session, "pictures" if result not in (REFUSED, KNOWN) else "no_picture", id)
            return
        unseen = result in (UNCHECKED, UNDECIDED)  # the program saw too little to say what it is
        veil = NUDITY if result == HIT and self._core.settings.veil != NONE else UNCHECKED * unseen
        sent = SentPicture(side, seat.chat.ring.last, self._core.outside.unix_time(), key, veil)
        album.sent.append(sent)
        if session.conn:
            self._core.send(session.conn, picture({**_told(sent, side), "id": id}))
        message = PictureSent(name, sent)
        for _, address in seat.others:
            self._core.post(address, message)

    def came(self, session: Session, message: PictureSent) -> None:
        """Announce a picture to the partner. A user who is away gets it with `resumed`."""
        if self._is_at(session, message.chat) and session.seat is not None:
            self._core.send(session.conn, picture(_told(message.sent, session.seat.side)))

    def over(self, chat: Chat) -> None:
        """Have the pictures of a chat that ended given out no more."""
        album = chat.attached.album
        if album is not None and any(album.keys):
            self._core.outside.end_pictures(chat.id)

    def sweep(self, now: float) -> None:
        """Drop the keys that were not used."""
        self._under_way.expire(now)
        self._sending.expire(now)
        self._paid.expire(now)

    # checks

    def _album(self, session: Session, of: str, id: str | None = None) -> tuple[Seat, Album]:
        """Return the seat of a user who talks, and the pictures of the chat. Raises Refusal."""
        seat = session.seat
        if seat is None or session.state == PARTED:
            raise Refusal("no_chat", of, id)
        if seat.side == WATCHER:
            raise Refusal("bad_type", of, id)
        album: Album | None = seat.chat.attached.album
        if album is None:
            raise Refusal("pictures", of, id)
        return seat, album

    def _check(self, session: Session, seat: Seat, album: Album, of: str, id: str | None, now: float) -> None:
        """Raise Refusal if this side may not send pictures now."""
        sends = self._core.settings.sends
        if seat.held:
            raise Refusal("challenge", of, id)
        if sends == OFF or not (self.checked or sends == ON):
            raise Refusal("pictures", of, id)
        if self._core.pauses.left(session.person, now) > 0:  # as from video
            raise Refusal("pictures", of, id)
        own = [one for one in album.sent if one.side == seat.side]
        if (
            len(own) >= SENT_MOST
            or album.keys[seat.side] >= KEYS_MOST
            or sum(one.veil == NUDITY for one in own) >= UNSAFE_MOST
        ):
            raise Refusal("pictures", of, id)

    def _is_at(self, session: Session, chat: str) -> bool:
        """Whether a connected user is in this chat."""
        return (
            session.seat is not None
            and session.seat.chat.id == chat
            and session.state == CHATTING
            and bool(session.conn)
        )

    def _refuse(self, session: Session, code: str, id: str) -> None:
        self._core.count("error " + code)
        if session.conn:
            self._core.send(session.conn, error(code, "picture", id))

    def _count(self, session: Session, seat: Seat, album: Album, now: float) -> None:
        """Count an unsafe picture as one of a camera: for the day, and by an operator's choice a pause after the second of a chat."""
        chats = self._core.detected(session, NUDITY, seat.chat.id, now)
        earlier = sum(one.side == seat.side and one.veil == NUDITY for one in album.sent)
        if self._core.keeps and (chats >= LIMITS[NUDITY].case or earlier + 1 >= UNSAFE_MOST):
            self._act(session, seat, NUDITY, now)
        if self._core.settings.veil == PAUSE and self._core.keeps and earlier + 1 >= UNSAFE_MOST:
            self._core.pauses.put(session.person, PAUSED_FOR, now)
            if session.identity:
                self._core.outside.publish_pause(session.person, PAUSED_FOR)

    def _pay(self, seat: Seat, now: float, burst: int, rate: float, of: str, id: str | None) -> None:
        """Count a wish or a picture of a side. Raises Refusal `too_fast`."""
        if not self._core.settings.limits:
            return
        key = seat.chat.id, seat.side, of
        paid = max(self._paid.get(key, now) or 0.0, now) + 1 / rate
        if paid - now > burst / rate:
            raise Refusal("too_fast", of, id, paid - now - burst / rate)
        self._paid.put(key, paid, paid, now)

    def _act(self, session: Session, seat: Seat, what: str, now: float) -> None:
        """Show moderators the pictures of a side: once per chat and cause."""
        if (seat.side, what) not in seat.chat.found:
            seat.chat.found[seat.side, what] = 0
            earlier = self._core.earlier(session, what, seat.chat.id, now)
            self._core.out.keep((session, seat, Act(what, seat.side, 0, earlier)))


def _told(sent: SentPicture, side: int) -> dict[str, Any]:
    """Return a picture as a side receives it."""
    body: dict[str, Any] = {"key": sent.key, "seq": sent.seq}
    if sent.veil:
        body["veil"] = sent.veil
    if sent.side == side:
        body["own"] = True
    return body


def album_of(seat: Seat) -> dict[str, Any] | None:
    """Return the pictures of a chat as `resumed` has them for the user at this seat; None: nothing is allowed or sent."""
    album = seat.chat.attached.album
    if seat.side == WATCHER or album is None or not (album.allowed or album.sent):
        return None
    found: dict[str, Any] = {
        "own": bool(album.allowed >> seat.side & 1),
        "theirs": bool(album.allowed >> (1 - seat.side) & 1),
    }
    if album.sent:
        found["sent"] = [_told(one, seat.side) for one in album.sent]
    return found
