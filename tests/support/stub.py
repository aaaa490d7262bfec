"""Run a simulated HTTP server of another company on loopback. Invariant: a thread of its own, no output, and clients may be gone."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Answering(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        """Return its body, if its length was given."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def give(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """Send the answer."""
        try:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # the client no longer waits

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


class Stub:
    """A simulated server. `url`: its address; `open`: while cleared, answers are held back."""

    def __init__(self, handler: type[Answering]) -> None:
        self.open = threading.Event()
        self.open.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # seconds between checks for the end
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stop the server."""
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
