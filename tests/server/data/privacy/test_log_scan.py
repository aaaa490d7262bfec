"""The scan of log files finds addresses, cookies and log links, and prints none of them."""

from __future__ import annotations

import gzip
from pathlib import Path

from server.data.privacy.log_scan import scan

LINES = """127.0.0.1 - - GET / 200
83.17.201.4 - - "GET /log/AbCdEfGhIjKlMnOpQrStUv HTTP/1.1" 200
cookie: __Host-id=AbCdEfGhIjKlMnOpQrStUv; x=1
peer [2001:db8::77]:443 closed at 12:30:01
version 1.2.3 took 10.5 s
GET /report/AbCdEfGhIjKlMnOpQrStUv, then /appeal/AbCdEfGhIjKlMnOpQrStUv
GET /report/- /appeal/- /log/delete/- /log/remove/- 200
GET /log/remove/AbCdEfGhIjKlMnOpQrStUv 200
"""


def test_each_form_is_found_in_its_line_and_not_printed(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINES)
    with gzip.open(tmp_path / "b.log.gz", "wt") as packed:
        packed.write(LINES)
    found = list(scan(tmp_path))
    assert [(hit.line, hit.what) for hit in found[: len(found) // 2]] == [
        (2, "log address"), (2, "IPv4 address"), (3, "identity cookie"), (4, "IPv6 address"),
        (6, "secret link"), (6, "secret link"), (8, "log address"),
    ]  # fmt: skip
    assert len(found) == 14
    assert not any(secret in hit.excerpt for hit in found for secret in ("83.17", "AbCdEf", "2001:db8"))
