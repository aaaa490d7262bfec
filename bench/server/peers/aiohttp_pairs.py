"""Run a pair relay on aiohttp: it pairs clients by arrival, forwards text, and closes both. `aiohttp_pairs.py PORT`"""

import asyncio
import sys

import uvloop
from aiohttp import WSMsgType, web

waiting: list[tuple[web.WebSocketResponse, "asyncio.Future[web.WebSocketResponse]"]] = []


async def party(request: web.Request) -> web.WebSocketResponse:
    """One side, from its coming to its end."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    if waiting:
        partner, told = waiting.pop()
        told.set_result(socket)
    else:
        told = asyncio.get_running_loop().create_future()
        waiting.append((socket, told))
        partner = await told
    await socket.send_str('{"type":"matched"}')
    async for message in socket:
        if message.type is WSMsgType.TEXT and not partner.closed:
            await partner.send_str(message.data)
    await partner.close()
    return socket


def main() -> None:
    """Serve for ever."""
    app = web.Application()
    app.router.add_get("/ws", party)
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[-1]), access_log=None, print=None, backlog=4096)


main()
