"""What a person says that needs nothing but a session that stands. Rule: one frame each; who sends it is below (`client.Client`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from serendip_client import frames


class Saying:
    """Frames that are sent as they are. Each raises Disconnected where no session can come about."""

    async def _send(self, body: Mapping[str, Any]) -> None:
        raise NotImplementedError

    async def signal(self, **part: Any) -> None:
        """Send a WebRTC signal: `description`, `candidate` or `media`."""
        await self._send({"type": "signal", **part})

    async def report(
        self,
        reason: frames.Reason,
        note: str = "",
        who: int | None = None,
        lines: Sequence[int] = (),
        chat: str | None = None,
    ) -> None:
        """Report the partner of this chat, or of the last one; `lines`: the numbers of up to 20 messages that are meant; `chat`: which of both.

        Raises ValueError for a reason that the protocol does not have.
        """
        frames.check("report: reason", frames.Reason, reason)
        more = ({} if who is None else {"who": who}) | ({"lines": list(lines)} if lines else {}) | frames.of(chat)
        await self._send({"type": "report", "reason": reason, "note": note} | more)

    async def block(self, chat: str | None = None) -> None:
        """Ask for a token of the partner of this chat, or of the last one (`chat`: which): `Blocked`, for `find(avoid=…)`."""
        await self._send({"type": "block"} | frames.of(chat))

    async def seen(self, id: str) -> None:
        """Say that a `Notice` was read."""
        await self._send({"type": "seen", "id": id})

    async def save(self, chat: str | None = None) -> None:
        """Ask for the log of this chat, or of the last one (`chat`: which)."""
        await self._send({"type": "save"} | frames.of(chat))

    async def solve(self, kind: str, response: str) -> None:
        """Answer a challenge; one of kind `age` by `adult` or `minor`."""
        await self._send({"type": "solution", "kind": kind, "response": response})

    async def no_snap(self, nonce: str, why: frames.NoSnapWhy) -> None:
        """Say that pictures which a `Snap` asked for cannot be given. Raises ValueError for a `why` that the protocol does not have."""
        frames.check("nosnap: why", frames.NoSnapWhy, why)
        await self._send({"type": "nosnap", "nonce": nonce, "why": why})

    async def ping(self) -> None:
        """Ask for a `Pong`."""
        await self._send({"type": "ping"})
