"""Notify systemd (sd_notify) that this process is ready, is stopping, or is no longer the main process.

**Invariant:** without NOTIFY_SOCKET nothing is sent; sending never blocks, and a failure is passed to the callback `failed`.
"""

# Sources: sd_notify(3), `BARRIER=1` since systemd 246.

from __future__ import annotations

import array
import asyncio
import os
import socket
from collections.abc import Callable

from server.ops.process.first_done import is_set_within


class Notifier:
    """Sender of notifications. `address`: as in NOTIFY_SOCKET, "" for none. `failed` is called with the error of a notification that could not be
    sent.
    """

    def __init__(self, address: str, failed: Callable[[OSError], None]) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._failed = failed

    @classmethod
    def of_environment(cls, failed: Callable[[OSError], None]) -> Notifier:
        """Make the notifier for the service manager that started this process."""
        return cls(os.environ.get("NOTIFY_SOCKET", ""), failed)

    @property
    def active(self) -> bool:
        """Whether a service manager is notified."""
        return bool(self._address)

    def ready(self, status: str = "") -> None:
        """Report that the service is ready, with this process as the main one."""
        self._tell("READY=1", f"MAINPID={os.getpid()}", *([f"STATUS={_line(status)}"] if status else []))

    def stopping(self) -> None:
        """Report that the service is stopping."""
        self._tell("STOPPING=1")

    def main(self, pid: int) -> None:
        """Report that another process is the main one from now on."""
        self._tell(f"MAINPID={pid}")

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows; it never holds personal data."""
        self._tell(f"STATUS={_line(text)}")

    async def heard(self, within: float = 5.0) -> bool:
        """Wait until systemd has read all notifications: a process that ends earlier may be taken for the service, and its end for the service's.

        Returns False if systemd does not listen or does not confirm within that many seconds.
        """
        loop = asyncio.get_running_loop()
        reader, writer = os.pipe()
        heard = asyncio.Event()
        try:
            sent = self._tell("BARRIER=1", descriptors=(writer,))
        finally:
            os.close(writer)
        loop.add_reader(reader, heard.set)  # the reader of the message closes the other end
        try:
            if not await is_set_within(heard, within):
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
