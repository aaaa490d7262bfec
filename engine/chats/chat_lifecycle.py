"""Begin, interrupt, resume and end chats, and handle the frames that clients send within a chat.

The acting side changes its own seat (its view of the chat) and posts bus messages; every other side changes its seat when the message arrives.
**Invariant:** a chat that ends is reported to each side by exactly one `left` frame.
"""

import math
from typing import Final

import orjson

from engine.chats.camera_checks import CameraChecks
from engine.chats.opener_pause import OpenerPause
from engine.chats.reactions import pay
from engine.chats.sent_pictures import SentPictures
from engine.conduct.detection_consequences import AGE_CLAIM, Act
from engine.core.bus_messages import Begin, Ended, Moved, Replaced, WantsAgain
from engine.core.chat import AGAIN_BOTH, AGAIN_HERE, AGAIN_THERE, Address, Album, Seat, number_of_chat
from engine.core.engine_state import EngineState
from engine.core.ports import Room
from engine.core.session import Query, Session
from engine.core.states import CHATTING, LEAVE, MATCH, OVER, OVER_AWAY, PARTED, WAITING
from engine.matching.address_networks import networks_of
from engine.matching.interest_numbers import Vocabulary
from engine.wire.client_requests import Again, Block, Message, Report, Save
from engine.wire.client_requests import Signal as SignalRequest
from engine.wire.client_requests import Typing as TypingRequest
from engine.wire.engine_errors import BadField, Refusal
from engine.wire.protocol import ADULT, ANY_LANGUAGE, LEFT_BY, MINOR, REACT_BURST, SAVES_MOST, STRANGER, WATCHER
from engine.wire.rule_constants import OFF, SHORT, SHORT_LINES, SOON
from engine.wire.server_frames import (
    blocked,
    encode,
    error,
    facts,
    left,
    matched,
    pair,
    partner,
    reported,
    saved,
    usual,
)
from engine.wire.server_frames import signal as signal_frame
from engine.wire.signal_checks import answers, curtain_of

REPEATED: Final = (
    REACT_BURST // 4
)  # reactions that a repeated wish costs: all processes look for a partner that moved on

_LEFT_EVENTS: Final = {by: f"left {by}" for by in LEFT_BY}  # as the tally counts them
# these with an underscore are numbers of C in the compiled module, which no other module sees
_CHATTING: Final = CHATTING
_WAITING: Final = WAITING
_WATCHER: Final = WATCHER


class Chats:
    """Chats of the engine; the only writer of seats, but for holds (`engine.chats.age_question_pause`) and pauses (`engine.chats.opener_pause`)."""

    __slots__ = ("_core", "_out", "_pictures", "_room", "openers", "snaps")

    def __init__(
        self, core: EngineState, snaps: CameraChecks, openers: OpenerPause, room: Room, pictures: SentPictures
    ) -> None:
        self._core = core
        self._room = room
        self._pictures = pictures
        self.snaps = snaps
        self.openers = openers
        self._out = core.out

    # messages of the bus

    def begin(self, session: Session, message: Begin, now: float) -> None:
        """Take the seat that the matcher's side offers."""
        core, seat, query = self._core, message.seat, session.query
        if session.state != _WAITING or query is None or session.serial != message.serial:
            # the session stopped searching meanwhile: to the others it is a stranger who left at once
            self.decline(seat)
            return
        session.move(MATCH)
        session.query = None
        session.seat = seat
        if seat.side == 0:
            core.talking[seat.chat.id] = session.id
        person = session.person
        for other in seat.persons:
            core.recents.met(person, other, now)
        chat, terms = seat.chat, query.terms
        common = own_words(query, message.common, core.vocabulary) if message.common else ()
        core.words.release(query)
        language = message.language if message.language != ANY_LANGUAGE else terms.language
        chat.language = chat.language or language
        if chat.question is None and message.college is None and not chat.video:
            seat.inside = usual(chat.id, common, language, seat.side)
            if self._may_send(session, seat):
                seat.inside += b',"pictures":true'
        else:
            body = facts(chat.id, terms.role, common, language, message.college, chat.question, seat.side)
            if chat.video:
                body["offer"] = message.offer
                body["ice"] = core.outside.ice_servers(session)
            if self._may_send(session, seat):
                body["pictures"] = True
            seat.inside = encode(body)
        conn = session.conn
        if conn:
            self._core.send(conn, matched(seat.inside))
            self._out.link(conn, chat.ring, seat.side)
            self.openers.begin(session, seat, now)
        else:
            self.tell_away(session)

    def _may_send(self, session: Session, seat: Seat) -> bool:
        """Whether the two can send each other pictures: both clients show them, and no third one watches."""
        if not session.pictures or self._core.settings.sends == OFF or len(seat.others) != 1:
            return False
        partner = self._core.sessions.get(seat.others[0][1])
        if partner is None or not partner.pictures:
            return False
        attached = seat.chat.attached
        attached.album = attached.album or Album()
        return True

    def decline(self, seat: Seat) -> None:
        """End a chat whose seat the session does not take."""
        seat.chat.ring.end()
        for _, address in seat.others:
            self._core.post(address, Ended(seat.chat.id, seat.side, "stranger"))

    def ended(self, session: Session, message: Ended, now: float) -> None:
        """Handle the end of the chat by another side; a spy that leaves only stops watching."""
        seat = session.seat
        if seat is None or seat.chat.id != message.chat or session.state != _CHATTING:
            return
        if message.side == _WATCHER:
            seat.others = tuple([other for other in seat.others if other[0] != _WATCHER])
            return
        if not session.conn:
            session.move(OVER_AWAY)
            seat.over = message.by, message.side
            return
        self._count(session, seat, message.by == STRANGER, now)
        session.move(OVER)
        self._out.unlink(session.conn)
        self._core.send(session.conn, left(message.by, message.side if seat.side == _WATCHER else None))
        seat.over = message.by, message.side  # if the connection is dead already, `resume` reads it
        self._past(session, now)

    def moved(self, session: Session, message: Moved, now: float) -> None:
        """Handle that another side's connection dropped, or came back."""
        seat = session.seat
        if seat is None or seat.chat.id != message.chat or message.side == _WATCHER or session.state != _CHATTING:
            return
        if message.until:
            if seat.away is None:
                seat.away = {}
            seat.away[message.side] = message.until
        elif seat.away is not None:
            seat.away.pop(message.side, None)
        if session.conn:
            self.tell_moved(session, message.side, now)

    # actions of this side

    def leave(self, session: Session, by: str, now: float) -> None:
        """End the chat of this side; the others get `left` by `by`. The caller has moved the session."""
        seat = session.seat
        if seat is None:
            return
        if session.conn:
            self._out.unlink(session.conn)
        if seat.over is None:
            self._over(session, seat, by, now)
        self._past(session, now)

    def close(self, session: Session, by: str, now: float) -> None:
        """End the chat by the server: all sides get `left` by `by`; a side that is away gets it when it is back."""
        seat = session.seat
        if seat is None:
            return
        if session.conn:
            session.move(OVER)
            self.leave(session, by, now)
            self._core.send(session.conn, left(by, None))
        else:
            session.move(OVER_AWAY)
            self._over(session, seat, by, now)
        seat.over = by, seat.side

    def _over(self, session: Session, seat: Seat, by: str, now: float) -> None:
        """End this side's part of the chat and notify the others."""
        chat = seat.chat
        if seat.side != _WATCHER:
            self._count(session, seat, False, now)
            chat.ring.end()
            self._core.count(_LEFT_EVENTS[by])
            self._core.measures.chats.add(now - chat.began)
            if chat.looks is not None:
                self.snaps.over(chat)
            if chat.attached.album is not None:
                self._pictures.over(chat)
        message = Ended(chat.id, seat.side, by)
        for _, address in seat.others:
            self._core.post(address, message)
        if seat.side != _WATCHER and self._core.keeps:
            self._out.keep((session, seat, message))

    def _count(self, session: Session, seat: Seat, left: bool, now: float) -> None:
        """Count an ended chat for a side that talked; `left`: the partner left. Soon after one's first line: so users answer adverts."""
        if not self._core.settings.challenges or seat.side == _WATCHER:
            return
        ring, soon = seat.chat.ring, False
        if left and now - seat.chat.began <= SHORT and ring.last <= SHORT_LINES:
            for _, side, time, _ in ring.lines():
                if side == seat.side:
                    soon = self._core.outside.unix_time() - time <= SOON
                    break
        self._core.friction.ended(session.person, soon, now)

    def hand_back(self, session: Session) -> None:
        """Tell the others that they reach the user of a kept seat at the user's own session: this substitute ends."""
        seat = session.seat
        if seat is not None:
            for _, address in seat.others:
                self._core.post(address, Replaced(seat.chat.id, seat.side, session.moved_on))

    def cut(self, session: Session) -> None:
        """Record that the chat was cut by the server's stop, once per chat."""
        seat = session.seat
        if seat is not None and seat.side == 0 and seat.over is None and self._core.keeps:
            self._out.keep((session, seat, Ended(seat.chat.id, 0, "restart")))

    def lose(self, session: Session, by: str, now: float) -> None:
        """End the chat for both: the user is back, but the ring has lost a part of what they missed. The partner gets `left` by `by`."""
        session.move(LEAVE)
        conn, session.conn = session.conn, 0
        self.leave(session, by, now)
        session.conn = conn
        self._core.send(conn, left("lost", None))

    def tell_away(self, session: Session) -> None:
        """Notify the others that this side lost its connection, and until when it may come back."""
        self._tell(session, session.deadline)

    def tell_back(self, session: Session) -> None:
        """Notify the others that this side has a connection again."""
        self._tell(session, 0.0)

    def tell_moved(self, session: Session, side: int, now: float) -> None:
        """Send the user whether side `side` is away or back."""
        seat = session.seat
        if seat is not None:
            until = seat.away.get(side) if seat.away else None
            shown = side if seat.side == _WATCHER else None
            frame = partner("back", None, shown) if until is None else partner("away", until - now, shown)
            self._core.send(session.conn, frame)

    def told(self, session: Session, now: float) -> None:
        """Send `left` to a user who is back after the end of the chat."""
        seat = session.seat
        if seat is not None and seat.over is not None:
            by, side = seat.over
            self._core.send(session.conn, left(by, side if seat.side == _WATCHER else None))
            self._past(session, now)

    def _tell(self, session: Session, until: float) -> None:
        seat = session.seat
        if seat is not None and seat.side != _WATCHER:
            message = Moved(seat.chat.id, seat.side, until)
            for _, address in seat.others:
                self._core.post(address, message)

    def _past(self, session: Session, now: float) -> None:
        seat = session.seat
        if seat is not None:
            seat.ended = now
            seat.away = seat.held = seat.paused = None
            if seat.side == 0:
                self._core.talking.pop(seat.chat.id, None)
            if seat.side != _WATCHER and self._core.settings.screening:
                # a later detection in its last lines still concerns this session
                self._core.lately.put(session, seat)
            session.seat = None
            self._core.remember(session, seat)

    # frames

    def message(self, session: Session, request: Message, now: float) -> None:
        """Relay a message whose spelling is not canonical."""
        seat = self._talking(session, "message", request.id)
        if seat is not None:
            self._refuse_held(seat, "message", request.id)
            if seat.paused:
                self.openers.check(session, seat, request.id, now)
            text = orjson.dumps(request.text)[1:-1]
            id = None if request.id is None else orjson.dumps(request.id)[1:-1]
            self._out.say(session.conn, text, id)

    def typing(self, session: Session, request: TypingRequest, now: float) -> None:
        """Relay that the user began or stopped typing."""
        seat = self._talking(session, "typing")
        if seat is not None and seat.is_linked:
            self._out.typing(session.conn, request.typing)

    def signal(self, session: Session, request: SignalRequest, now: float) -> None:
        """Relay a WebRTC signal; in video chats only."""
        seat = self._talking(session, "signal")
        if seat is None:
            return
        self._refuse_held(seat, "signal")
        looks = seat.chat.looks
        if not seat.chat.video or (looks is not None and looks.ended):
            raise Refusal("bad_type", "signal")
        if looks is None and not self.snaps.covers(seat.chat):
            raise Refusal("snaps", "signal")
        body = self._core.outside.scrub(request.body) if seat.chat.relay else request.body
        if body is not None:
            self._out.signal(session.conn, signal_frame(body))
            if looks is None and answers(request.body):
                self.snaps.answered(seat.chat, now)
            drawn = curtain_of(request.body)
            if drawn is not None:
                self.snaps.curtain(seat.chat, seat.side, drawn, now)

    def _refuse_held(self, seat: Seat, of: str, id: str | None = None) -> None:
        if seat.held:
            raise Refusal("challenge", of, id)

    def _talking(self, session: Session, of: str, id: str | None = None) -> Seat | None:
        seat = session.seat
        if seat is None or session.state == PARTED:
            raise Refusal("no_chat", of, id)
        if seat.side == _WATCHER:
            raise Refusal("bad_type", of, id)
        return seat

    def refused(self, session: Session, refusal: Refusal) -> None:
        """Count a refused `message` in a chat (rule 5, `taken`)."""
        seat = session.seat
        if refusal.of == "message" and seat is not None and seat.side != _WATCHER:
            if not seat.is_linked:
                seat.chat.ring.refuse(seat.side)  # its connection is not linked
            else:
                self._out.refuse(session.conn)

    def report(self, session: Session, request: Report, now: float) -> None:
        """Report the partner. The first report of a chat counts; each is answered, with the same receipt."""
        seat = self._present_or_past(session, "report", request.chat, now)
        if (seat.side == _WATCHER) != (request.who > 0):
            raise BadField("report", "who")
        person = seat.persons[request.who - 1 if seat.side == _WATCHER else 0]
        self._core.recents.report(session.person, person, networks_of(session.address), now)
        if seat.reported is None:
            seat.reported = self._core.outside.make_receipt_url()
            self._core.count("report " + request.reason)
            if self._core.keeps:
                self._look(session, seat, request, person, now)
                self._out.keep((session, seat, request))
            if seat is session.seat and session.state == _CHATTING:
                self.snaps.reported(seat.chat, now)
        more = self._core.outside.report_facts(session, request.reason)
        self._core.send(session.conn, reported(seat.reported, more))

    def _look(self, session: Session, seat: Seat, request: Report, person: int, now: float) -> None:
        """Show a moderator a reported user who wrote that they are under 18, and then that they are not."""
        said = self._core.ages.of(person, now) if request.reason == MINOR else None
        if said is not None and said.state == ADULT:
            side = request.who - 1 if request.who else 1 - seat.side
            self._out.keep((session, seat, Act(AGE_CLAIM, side, 0)))

    def block(self, session: Session, request: Block, now: float) -> None:
        """Block the partner: the user gets a token for later `find` frames; nothing is stored here."""
        seat = self._present_or_past(session, "block", request.chat, now)
        if seat.side == _WATCHER:
            raise Refusal("bad_type", "block")
        seat.tips &= ~AGAIN_HERE  # else the wish of the partner would still make the two a pair
        token, until = self._core.outside.make_avoid(seat.persons[0])
        self._core.count("block")
        self._core.send(session.conn, blocked(token, until if seat.lasting else None))

    def again(self, session: Session, request: Again, now: float) -> None:
        """Note that the user wants to meet the partner again. The partner learns of it only if they want it too: then both get a token."""
        seat = self._present_or_past(session, "again", request.chat, now)
        if seat.side == _WATCHER:
            raise Refusal("bad_type", "again")
        if not session.identity or not seat.lasting or seat.reported is not None:
            raise Refusal("no_pair", "again")
        if self._core.settings.limits:
            pay(seat, "again", now, REPEATED if seat.tips & AGAIN_HERE else 1)
        seat.tips |= AGAIN_HERE
        for side, address in seat.others:
            if side != _WATCHER:
                self._tell_wish(address, seat.chat.id, seat.side)
        self._tell_pair(session, seat)

    def wants_again(self, session: Session, message: WantsAgain, now: float) -> None:
        """Handle that the partner of this chat, or of the last one, wants to meet again; a repeated wish tells the user nothing."""
        if session.moved_on:
            self._tell_wish(session.moved_on, message.chat, message.side)  # the user is there
        for seat in (session.seat, session.past):
            if seat is None or seat.chat.id != message.chat or seat.side == _WATCHER or seat.tips & AGAIN_THERE:
                continue
            seat.tips |= AGAIN_THERE
            if seat.reported is None:
                self._tell_pair(session, seat)

    def _tell_wish(self, address: Address, chat: str, side: int) -> None:
        """Tell a session of the chat, here or in the process to which it migrated, that this side wants to meet its user again."""
        if address in self._core.sessions:
            self._core.post(address, WantsAgain(chat, side))
        else:
            self._room.want(address, number_of_chat(chat), side)

    def _tell_pair(self, session: Session, seat: Seat) -> None:
        """Send the token of the pair, if both want it; asked for again it is made again."""
        if seat.tips & AGAIN_BOTH == AGAIN_BOTH and session.conn:
            token, until = self._core.outside.make_pair(number_of_chat(seat.chat.id) << 1 | seat.side, session.identity)
            self._core.count("pair")
            self._core.send(session.conn, pair(seat.chat.id, token, until))

    def save(self, session: Session, request: Save, now: float) -> None:
        """Save the log; the store answers by `Engine.saved`."""
        seat = self._present_or_past(session, "save", request.chat, now)
        if not self._core.keeps or len(session.saves) >= SAVES_MOST:
            raise Refusal("not_saved", "save")
        session.saves += ((seat.chat.id, b""),)
        self._out.keep((session, seat, request))

    def save_again(self, session: Session) -> None:
        """Repeat the unanswered saves of a session that migrated here, whose source no longer answers them."""
        for chat, answer in session.saves:
            seat = next((one for one in (session.seat, session.past) if one is not None and one.chat.id == chat), None)
            if answer:
                continue
            if seat is None or not self._core.keeps:
                self.saved(session, None, "", 0.0, chat)
            else:
                self._out.keep((session, seat, Save(chat)))

    def saved(self, session: Session, url: str | None, delete: str, retry_after: float, chat: str) -> None:
        """Handle the store's answer to the save of `chat` (empty: the first one). A user who is away gets it when they are back.

        `url` None: saving failed, or with `retry_after` it is not allowed yet. An answer that is not awaited is ignored.
        """
        asked = next((one for one in session.saves if not one[1] and chat in ("", one[0])), None)
        if asked is None:
            return
        place = session.saves.index(asked)
        session.saves = session.saves[:place] + session.saves[place + 1 :]
        if url is not None:
            answer = saved(url, delete)
        else:
            code = "too_fast" if retry_after else "not_saved"
            self._core.count("error " + code)
            answer = error(code, "save", None, math.ceil(retry_after) if retry_after else None)
        if session.conn:
            self._core.send(session.conn, answer)
        else:
            session.saves += ((asked[0], answer),)

    def tell_saved(self, session: Session) -> None:
        """Send the answers to saves that arrived while the user was away."""
        if session.saves:
            for _, answer in session.saves:
                if answer:
                    self._core.send(session.conn, answer)
            session.saves = tuple([one for one in session.saves if not one[1]])

    def _present_or_past(self, session: Session, of: str, chat: str | None, now: float) -> Seat:
        """Return the seat in `chat`; None: the current seat, else the last one. Raises Refusal `no_chat`."""
        seat = session.seat
        if seat is not None and (chat is None or chat == seat.chat.id):
            return seat
        self._core.forget_past(session, now)
        past = session.past
        if past is None or (chat is not None and chat != past.chat.id):
            raise Refusal("no_chat", of)
        return past


def own_words(query: Query, common: tuple[int, ...], vocabulary: Vocabulary) -> list[str]:
    """Return the common interests as the user spelled them; call it before they are released."""
    if query.typed is None:
        return vocabulary.words(common)
    words, ids = query.typed.split("\n"), list(query.ids)
    return [words[ids.index(id)] for id in common if id in ids]
