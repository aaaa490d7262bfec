"""Translate a frame of the WebSocket protocol into events of Omegle's protocol, and queue these for the client.

**Invariant:** the events of one frame are delivered together.
"""

import datetime
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.wire.protocol import AGE
from ext.base.ageing_map import AgeingMap
from server.site.omegle import omegle_event_encoding
from server.site.omegle.omegle_client import OmegleClient
from server.site.omegle.status_info import StatusFigures

TOLD_MAX: Final = 5_000  # users remembered as informed; beyond, the oldest are informed once more


class StatementNotices:
    """Record of informed users. `statement`: the newest announced one, its `version` and `from` in Unix seconds; None if none is announced."""

    def __init__(self, statement: Callable[[], Mapping[str, Any] | None]) -> None:
        self._statement = statement
        self._informed: AgeingMap[int, str] = AgeingMap(TOLD_MAX)  # user to version

    def sentence(self, client: OmegleClient) -> str:
        """Return the sentence for a client; "" for none."""
        told = self._statement()
        if told is None or told["from"] <= time.time() or self._informed.get(client.person) == told["version"]:
            return ""
        if client.person:
            self._informed.put(client.person, told["version"])
        day = datetime.datetime.fromtimestamp(told["from"], datetime.UTC).date().isoformat()
        return omegle_event_encoding.changes(client.host, told["version"], day)


def queue_events(
    client: OmegleClient,
    frame: dict[str, Any],
    status: StatusFigures,
    digests: Callable[[], str],
    announced: StatementNotices,
) -> bool:
    """Queue the events of a frame; return whether it was the last one. `digests`: of the chat's participants."""
    kind = frame["type"]
    if kind == "message":
        client.last = frame["seq"]
        client.forget(
            (omegle_event_encoding.TYPING, omegle_event_encoding.STOPPED)
        )  # a message ends typing, and some clients read the first event only
        client.put([omegle_event_encoding.message(frame)])
    elif kind == "typing":
        client.put([omegle_event_encoding.typing(frame)])
    elif kind == "matched":
        client.chat, client.last = frame["chat"], 0
        client.put(omegle_event_encoding.match(frame, client.find["language"], digests(), announced.sentence(client)))
    elif kind == "waiting":
        if not client.told:
            client.told = True
            client.put([omegle_event_encoding.WAITING, status.event(client.host)])
    elif kind == "left":
        client.put([omegle_event_encoding.left(frame)])
        return True
    elif kind == "partner" and frame["state"] == "asked":
        client.put([omegle_event_encoding.ASKED])
    elif kind == "partner" and frame["state"] == "paused":
        client.put([omegle_event_encoding.PAUSED])
    elif kind == "signal":
        found = omegle_event_encoding.signal(frame)
        if found is not None:
            client.put([found])
    elif kind == "challenge" and frame["kind"] == AGE:  # Omegle's protocol has no event for the age question
        client.put(
            [
                omegle_event_encoding.event(
                    "serverMessage", omegle_event_encoding.underage(frame["parameters"].get("age", 0), client.host)
                )
            ]
        )
    elif kind == "challenge":
        again = "recaptchaRejected" if client.challenge else "recaptchaRequired"
        client.challenge = str(frame["kind"])
        client.put([omegle_event_encoding.event(again, str(frame["parameters"].get("sitekey", client.challenge)))])
    elif kind == "solved":
        client.challenge, client.solved = "", True
    elif kind == "notice":
        client.unread = frame["id"]
        client.put([omegle_event_encoding.notice(frame, client.host)])
    elif kind == "service":
        _tell_service(client, frame)
    elif kind == "error":
        _failed(client, frame)
        return _ends_search(client, frame)
    return False


def _ends_search(client: OmegleClient, frame: dict[str, Any]) -> bool:
    """Whether an error ends a search for good: this protocol cannot begin another one."""
    code = frame["code"]
    return bool(code == "maintenance" or (client.told and code == "snaps" and frame.get("of") == "find"))


def _tell_service(client: OmegleClient, frame: dict[str, Any]) -> None:
    """Queue what operators say to all users, unless the client was sent exactly this before."""
    text = omegle_event_encoding.service(frame, client.find["language"])
    if text and text != client.service:
        client.put([omegle_event_encoding.event("serverMessage", text)])
    client.service = text


def _failed(client: OmegleClient, frame: dict[str, Any]) -> None:
    code = frame["code"]
    if frame.get("measure") == AGE:
        client.put(
            [
                omegle_event_encoding.event(
                    "serverMessage", omegle_event_encoding.underage(0, client.host + frame.get("appeal", ""))
                )
            ]
        )
    elif code == "banned":
        client.put([omegle_event_encoding.event("antinudeBanned", client.host + frame["appeal"])])
    elif "of" in frame or code == "too_fast":
        client.refused = code
        if _ends_search(client, frame):
            client.put([omegle_event_encoding.event("serverMessage", frame["message"])])
        # the request was answered before the home host refused the message
        if client.wire is not None and frame.get("of") == "message":
            client.put([omegle_event_encoding.event("error", frame["message"])])
        if code == "snaps" and frame.get("of") == "signal" and client.dark != client.chat:
            client.dark = client.chat  # once per chat, however many signals fail
            client.put([omegle_event_encoding.UNCHECKED])
        if code == "too_fast" and frame.get("of") in {"find", "solution"}:
            client.patience = float(frame.get("retry_after", 0.0))
            if frame["of"] == "find":  # the open challenge is no longer valid
                client.challenge = ""
    else:
        client.put([omegle_event_encoding.event("error", frame["message"])])
