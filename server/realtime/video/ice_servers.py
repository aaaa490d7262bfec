"""Choose the ICE servers of a video call, with expiring TURN credentials.

**Invariant:** the user name in a credential is random, so that logs of the TURN server identify no user; if either participant hides their address,
both get relays only.
"""

import base64
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Any

from engine.views import SessionView
from server.ops.config.settings import Video
from server.ops.security.secret_keys import Keys, Purpose

NAME_BYTES = 12  # of a credential's random name


def turn_secret(chosen: Video, keys: Keys) -> str:
    """Return the secret shared with the TURN server: the operator's, or the service's own sub-key in hex."""
    return chosen.turn_secret.get_secret_value() or keys.derive(Purpose.TURN).hex()


class IceServers:
    """The ICE servers of each call. `wall`: returns Unix seconds.

    Credentials follow draft-uberti-behave-turn-rest-00 ("TURN REST" of coturn): username `expiry:name`, password base64(HMAC-SHA1(secret,
    username)).
    """

    def __init__(self, chosen: Video, secret: str, wall: Callable[[], float] = time.time) -> None:
        self._stun = list(chosen.stun or dict.fromkeys(map(_stun_of, chosen.turn)))
        self._turn = list(chosen.turn)
        self._lifetime = chosen.turn_lifetime
        self._secret = secret.encode()
        self._wall = wall
        self._issued = 0

    def servers(self, session: SessionView) -> list[dict[str, Any]]:
        """Return the RTCIceServer entries for the session's present chat; relays only if an address is hidden."""
        seat = session.seat
        hidden = seat is not None and seat.chat.relay
        found: list[dict[str, Any]] = []
        if self._stun and not hidden:
            found.append({"urls": self._stun})
        if self._turn:
            found.append({"urls": self._turn, **self.credential()})
        return found

    def reading(self) -> dict[str, int]:
        """Return the number of credentials, as a source of metrics."""
        return {"serendip_media_credentials": self._issued}

    def credential(self) -> dict[str, str]:
        """Return a fresh name and its password."""
        self._issued += 1
        username = f"{int(self._wall()) + self._lifetime}:{secrets.token_hex(NAME_BYTES)}"
        digest = hmac.digest(self._secret, username.encode(), "sha1")
        return {"username": username, "credential": base64.b64encode(digest).decode()}


def _stun_of(turn: str) -> str:
    """Return the STUN URL of a TURN server."""
    return "stun" + turn.removeprefix("turn").partition("?")[0]
