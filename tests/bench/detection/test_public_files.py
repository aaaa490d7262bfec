"""Fetch public files from a real server: only the pinned content is kept, in an archive too."""

import functools
import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.detection.labelled_lines import BadSet, PublicFile
from bench.detection.public_files import FILE_MAX, fetch_file, missing_files

BODY = b"text,label\nhello,bad\n"
HASH = hashlib.sha256(BODY).hexdigest()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    served = tmp_path / "served"
    served.mkdir()
    (served / "set.csv").write_bytes(BODY)
    (served / "large.csv").write_bytes(bytes(FILE_MAX + 1))
    with zipfile.ZipFile(served / "set.zip", "w") as archive:
        archive.writestr("set.csv", BODY)
        archive.writestr("other.csv", b"other")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=served)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("name", "about"), [("set.csv", {}), ("set.zip", {"member": "set.csv"})])
def test_a_pinned_file_is_kept(base: str, tmp_path: Path, name: str, about: dict[str, str]) -> None:
    file = PublicFile(about, "en", "kept.csv", f"{base}/{name}", HASH)
    assert missing_files([file], tmp_path) == [file]
    fetch_file(file, tmp_path)
    assert missing_files([file], tmp_path) == []
    assert (tmp_path / "kept.csv").read_bytes() == BODY


@pytest.mark.parametrize(
    ("name", "about", "fault"),
    [
        ("large.csv", {}, "more than"),
        ("set.zip", {}, "not the pinned file"),
        ("set.zip", {"member": "other.csv"}, "not the pinned file"),
        ("set.zip", {"member": "none.csv"}, "none.csv"),
        ("set.csv", {"member": "set.csv"}, "not a zip"),
    ],
)
def test_any_other_file_is_refused_and_leaves_nothing(
    base: str, tmp_path: Path, name: str, about: dict[str, str], fault: str
) -> None:
    folder = tmp_path / "kept"
    with pytest.raises(BadSet, match=fault):
        fetch_file(PublicFile(about, "en", "kept.csv", f"{base}/{name}", HASH), folder)
    assert not folder.exists()
