import socket
from typing import Final

RECORD_MAX: Final = 262144

def prepare(sock: socket.socket) -> None: ...
def record_frame(record: bytes) -> bytes: ...
