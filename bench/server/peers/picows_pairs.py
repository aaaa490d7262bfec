"""A pair relay on picows: pairs by arrival, forwards text frames, closes both. `picows_pairs.py PORT`"""

import asyncio
import sys

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

waiting: "Party | None" = None


class Party(WSListener):
    """One side."""

    partner: "Party | None" = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Pair with who waits, or wait."""
        global waiting
        self.transport = transport
        if waiting is None:
            waiting = self
            return
        self.partner, waiting.partner, waiting = waiting, self, None
        for side in (self.partner, self):
            side.transport.send(WSMsgType.TEXT, b'{"type":"matched"}')

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Forward, or close."""
        if frame.msg_type == WSMsgType.TEXT and self.partner is not None:
            self.partner.transport.send(WSMsgType.TEXT, frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The other side goes too."""
        global waiting
        if waiting is self:
            waiting = None
        partner, self.partner = self.partner, None
        if partner is not None:
            partner.partner = None
            partner.transport.send_close(1000)
            partner.transport.disconnect()


async def main() -> None:
    """Serve for ever."""
    server = await ws_create_server(lambda _: Party(), "127.0.0.1", int(sys.argv[-1]), backlog=4096)
    await server.serve_forever()


uvloop.run(main()) if hasattr(uvloop, "run") else asyncio.run(main())
