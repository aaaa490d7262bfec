"""Run a pair relay on websockets: it pairs clients by arrival, forwards text, and closes both. `websockets_pairs.py PORT`"""

import asyncio
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

waiting: "asyncio.Future[ServerConnection] | None" = None


async def party(socket: ServerConnection) -> None:
    """One side, from its coming to its end."""
    global waiting
    loop = asyncio.get_running_loop()
    if waiting is None:
        mine = waiting = loop.create_future()
        mine_socket[mine] = socket
        try:
            partner = await mine
        finally:
            mine_socket.pop(mine, None)
    else:
        theirs, waiting = waiting, None
        partner = mine_socket[theirs]
        theirs.set_result(socket)
    try:
        await socket.send('{"type":"matched"}')
        async for text in socket:
            await partner.send(text)
    except ConnectionClosed:
        pass
    await partner.close()


mine_socket: "dict[asyncio.Future[ServerConnection], ServerConnection]" = {}


async def main() -> None:
    """Serve for ever."""
    async with serve(
        party, "127.0.0.1", int(sys.argv[-1]), compression=None, ping_interval=None, backlog=4096
    ) as server:
        await server.serve_forever()


uvloop.run(main())
