"""Test that two JavaScript clients exchange a picture on a real server, once both allow it, and that no cut costs it or a withdrawn consent."""

import json
import subprocess
from pathlib import Path

from tests.server.site.web.servers import Server
from tests.support import scenes

HERE = Path(__file__).parent
CLIENT = HERE.parents[1] / "client" / "js"


def test_a_picture_arrives_across_a_cut_and_none_without_both_consents(tmp_path: Path) -> None:
    jpeg = tmp_path / "picture.jpg"
    jpeg.write_bytes(scenes.jpeg(scenes.scene(0)))
    server = Server(tmp_path / "data", SERENDIP_PICTURES__IN_CHAT="on", SERENDIP_LIMITS__ENABLED="false")
    try:
        command = ["node", str(HERE / "album.mjs"), str(CLIENT), server.url, str(jpeg)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    finally:
        server.stop()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "early": "pictures",
        "own": True,
        "same": True,
        "count": 1,
        "wrong": "no_picture",
        "late": "pictures",
    }
