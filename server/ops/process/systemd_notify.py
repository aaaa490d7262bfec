"""What systemd is told of this process (sd_notify): that it serves, that it ends, which process is the main one.

Rule: where nobody asked (no NOTIFY_SOCKET) nothing is sent. A datagram never waits; what could not be sent is told to whoever made this.
Sources: sd_notify(3), `BARRIER=1` since systemd 246.
"""

from __future__ import annotations

import array
import asyncio
import os
import socket
from collections.abc import Callable


class Notifier:
    """`address`: as in NOTIFY_SOCKET, "" for nobody. `failed` is told the error of what could not be sent."""

    def __init__(self, address: str, failed: Callable[[OSError], None]) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._failed = failed

    @classmethod
    def of_environment(cls, failed: Callable[[OSError], None]) -> Notifier:
        """For who started this process."""
        return cls(os.environ.get("NOTIFY_SOCKET", ""), failed)

    @property
    def active(self) -> bool:
        """Whether somebody is told."""
        return bool(self._address)

    def ready(self, status: str = "") -> None:
        """People are served, by this process: from here on it is the main one."""
        self._tell("READY=1", f"MAINPID={os.getpid()}", *([f"STATUS={_line(status)}"] if status else []))

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1")

    def main(self, pid: int) -> None:
        """Another process is the main one from here on."""
        self._tell(f"MAINPID={pid}")

    def status(self, text: str) -> None:
        """A line for `systemctl status`; never anything of a person's."""
        self._tell(f"STATUS={_line(text)}")

    async def heard(self, within: float = 5.0) -> bool:
        """Wait until all that was told is taken up: who ends before that may be taken for the service, and take it along.

        False where nobody listens or says so within that many seconds.
        """
        loop = asyncio.get_running_loop()
        reader, writer = os.pipe()
        heard = asyncio.Event()
        try:
            sent = self._tell("BARRIER=1", descriptors=(writer,))
        finally:
            os.close(writer)
        loop.add_reader(reader, heard.set)  # its other end is closed by who read the message
        try:
            await asyncio.wait_for(heard.wait(), within)
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(reader)
            os.close(reader)
        return sent

    def _tell(self, *lines: str, descriptors: tuple[int, ...] = ()) -> bool:
        if not self._address:
            return False
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            try:
                sock.sendmsg(["\n".join(lines).encode()], rights, 0, self._address)
            except OSError as error:
                self._failed(error)
                return False
        return True


def _line(text: str) -> str:
    return text.replace("\n", " ")
