"""The echo server: the same frames and reactor as the service, with no chat above.

`python -m bench echo --port N --max-message BYTES`: each message is sent back with its opcode. For
conformance suites and for what the reactor costs by itself.
"""

import argparse
import asyncio
import contextlib
import signal
import socket
import time

import uvloop

from engine.wire.protocol import HTTP
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.reactor.debug_hooks import echo
from ext.reactor.reactor import Reactor

NOT_HERE = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 27\r\nConnection: close\r\n\r\nThe echo server is at /ws.\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where it listens, and its bound."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9001)
    parser.add_argument("--max-message", type=int, default=65536, metavar="BYTES")


def main(chosen: argparse.Namespace) -> int:
    """Serves until it is told to end."""
    uvloop.run(serve(chosen.host, chosen.port, chosen.max_message))
    return 0


def listener(host: str, port: int) -> socket.socket:
    """A listening, non-blocking socket; accepted ones inherit TCP_NODELAY."""
    sock = socket.create_server((host, port), backlog=4096)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    return sock


def refuse(descriptor: int) -> None:
    """Answer a request that is none for `/ws`, and close its connection."""
    with socket.socket(fileno=descriptor) as sock, contextlib.suppress(OSError):
        sock.send(NOT_HERE)


async def serve(host: str, port: int, max_message: int) -> None:
    """Echoes until SIGTERM or SIGINT. `max_message`: bytes; a longer message closes its connection with 1009."""
    loop = asyncio.get_running_loop()
    reactor = Reactor(
        judge=Judge(hosts=("*",), origins=("*",), proxies=()),
        addresses=Addresses(open_max=1 << 20, burst=1 << 20, rate=1 << 20, limits=False),
        now=time.monotonic(),
        limits=False,
        message_max=max_message,
    )
    echo(reactor)
    sock = listener(host, port)
    reactor.listen(sock.fileno())

    def ready() -> None:
        for kind, descriptor, _, _ in reactor.drain(time.monotonic()):
            if kind == HTTP:  # all that is not a request for `/ws`
                refuse(descriptor)
        reactor.settle(time.monotonic())

    def tick() -> None:
        reactor.tick(time.monotonic())
        reactor.settle(time.monotonic())
        loop.call_later(1.0, tick)

    loop.add_reader(reactor.fd, ready)
    tick()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    print(f"echo on {host}:{sock.getsockname()[1]}", flush=True)
    await stop.wait()
    loop.remove_reader(reactor.fd)
    sock.close()
