"""Provide the client's simple commands, such as signals, reports and answers to notices: each method sends one frame and keeps no state.

`client.Client` inherits these methods.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from serendip_client import frames
from serendip_client.protocol import Face, NoSnapWhy, Reason


class Commands:
    """Commands without state in the client. Each raises Disconnected if no session can be established."""

    async def _send(self, body: Mapping[str, Any]) -> None:
        raise NotImplementedError

    async def signal(self, **part: Any) -> None:
        """Send a WebRTC signal: `description`, `candidate` or `media`."""
        await self._send({"type": "signal", **part})

    async def react(self, seq: int, face: Face | None) -> None:
        """Show `face` at line `seq` of the chat; None takes it back. Raises ValueError for an unknown face."""
        if face is not None:
            frames.check("react: face", Face, face)
        await self._send({"type": "react", "seq": seq} | ({} if face is None else {"face": face}))

    async def report(
        self,
        reason: Reason,
        note: str = "",
        who: int | None = None,
        lines: Sequence[int] = (),
        chat: str | None = None,
    ) -> None:
        """Report the partner of this chat, or of the last one.

        `lines`: numbers of up to 20 messages; `chat`: which of the two. Raises ValueError for an unknown reason.
        """
        frames.check("report: reason", Reason, reason)
        more = ({} if who is None else {"who": who}) | ({"lines": list(lines)} if lines else {}) | frames.of(chat)
        await self._send({"type": "report", "reason": reason, "note": note} | more)

    async def block(self, chat: str | None = None) -> None:
        """Request a token of this or the last chat's partner (`chat`: which): `Blocked`, for `find(avoid=…)`."""
        await self._send({"type": "block"} | frames.of(chat))

    async def again(self, chat: str | None = None) -> None:
        """Meet the partner of this or the last chat (`chat`: which) again, if they want it too: `Pair`, for `find(pairs=…)`."""
        await self._send({"type": "again"} | frames.of(chat))

    async def here(self, pairs: Sequence[str]) -> None:
        """Ask which users of kept pairs search now: `Here`."""
        frames.check("here: pairs", Sequence[str], pairs)
        await self._send({"type": "here", "pairs": list(pairs)})

    async def seen(self, id: str) -> None:
        """Confirm that a `Notice` was read."""
        await self._send({"type": "seen", "id": id})

    async def save(self, chat: str | None = None) -> None:
        """Request the log of this or the last chat (`chat`: which)."""
        await self._send({"type": "save"} | frames.of(chat))

    async def solve(self, kind: str, response: str) -> None:
        """Answer a challenge; one of kind `age` by `adult` or `minor`."""
        await self._send({"type": "solution", "kind": kind, "response": response})

    async def no_snap(self, nonce: str, why: NoSnapWhy) -> None:
        """Report that requested pictures cannot be sent. Raises ValueError for an unknown `why`."""
        frames.check("nosnap: why", NoSnapWhy, why)
        await self._send({"type": "nosnap", "nonce": nonce, "why": why})

    async def ping(self) -> None:
        """Request a `Pong`."""
        await self._send({"type": "ping"})
