"""A server of somebody else's, as tests play it on loopback. Rule: a thread of its own, nothing printed, and whoever asked may be gone."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Answering(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        """What was sent with it, where its length was said."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def give(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """The answer."""
        try:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # whoever asked waits no more

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


class Stub:
    """One of them. `url`: where it is; `open`: cleared, no answer goes out, for those that wait for it."""

    def __init__(self, handler: type[Answering]) -> None:
        self.open = threading.Event()
        self.open.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # it looks so often whether it is to stop: seconds
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """It is gone."""
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
