"""A bad line to a UDP server: a share of the packets is lost, by a seeded generator. Rule: on loopback, ends with `close`."""

import random
import selectors
import socket
import threading

IDLE = 0.2  # seconds between looks at whether it ended


class Lossy:
    """Relays datagrams to and from `port`; `loss`: the share that is lost from now on, either way."""

    def __init__(self, port: int, seed: int = 1) -> None:
        self.loss = 0.0
        self._behind = ("127.0.0.1", port)
        self._chance = random.Random(seed)
        self._front = self._bound()
        self.port: int = self._front.getsockname()[1]
        self._ways: dict[tuple[str, int], socket.socket] = {}
        self._ended = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._front, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _bound() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        return made

    def _run(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(IDLE):
                if key.data is None:
                    data, client = self._front.recvfrom(65536)
                    self._pass(self._way(client), data, self._behind)
                else:
                    self._pass(self._front, self._ways[key.data].recv(65536), key.data)

    def _way(self, client: tuple[str, int]) -> socket.socket:
        if client not in self._ways:
            self._ways[client] = self._bound()
            self._selector.register(self._ways[client], selectors.EVENT_READ, client)
        return self._ways[client]

    def _pass(self, through: socket.socket, data: bytes, to: tuple[str, int]) -> None:
        if self._chance.random() >= self.loss:
            through.sendto(data, to)

    def close(self) -> None:
        """End it."""
        self._ended.set()
        self._thread.join(5)
        self._selector.close()
        for sock in (self._front, *self._ways.values()):
            sock.close()
