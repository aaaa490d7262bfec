"""Send back what arrives, on the server's core and before all else there: what the machine and the bench add to the time of a line."""

import multiprocessing
import os
import socket
from multiprocessing.connection import Connection
from typing import Final, Self

from bench.support.precedence import ahead

PATIENCE: Final = 20.0  # seconds until its process runs


class Echo:
    """An echo in a process of its own, for one connection after the other. `core`: processor it is bound to, empty: none."""

    def __init__(self, core: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._told, said = context.Pipe(duplex=False)
        self._process = context.Process(target=serve, args=(core, said), daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._process.start()
        if not self._told.poll(PATIENCE):
            self.__exit__()
            raise TimeoutError("the echo did not start")
        self.port = self._told.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()


def serve(core: str, said: Connection) -> None:
    """Run the echo's process."""
    if core:
        os.sched_setaffinity(0, {int(core)})
    ahead()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        said.send(listener.getsockname()[1])
        while True:
            sock, _ = listener.accept()
            with sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while data := sock.recv(4096):
                    sock.sendall(data)
