"""A server that scores pictures, on loopback, as `pictures.provider=http` asks it. Rule: what it was asked is kept; it looks at no picture.

`wrong`: a status, and a body, in place of each answer; `hold` keeps answers back.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Moderation:
    """One of them, in a thread of its own. `score`: what it says of each picture; `key`: the only one that it takes, where there is one."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.score = 0.5
        self.wrong: tuple[int, bytes] | None = None
        self.asked: list[dict[str, Any]] = []
        self.heads: list[dict[str, str]] = []
        self.open = threading.Event()  # cleared: no answer goes out
        self.open.set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                server.heads.append(dict(self.headers.items()))
                server.open.wait(60)
                denied = server.key and self.headers.get("Authorization") != f"Bearer {server.key}"
                status, body = server.wrong or (
                    (401, b"") if denied else (200, json.dumps({"score": server.score}).encode())
                )
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.send_header("Location", "/elsewhere")
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # whoever asked waits no more

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/score"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """It is gone."""
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
