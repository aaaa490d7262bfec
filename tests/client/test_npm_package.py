"""Test the npm package: packed, installed into an empty folder, imported by its name."""

import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOT = """
import { Client } from "serendip-client";
import { FakeServer } from "serendip-client/testing";
import "serendip-client/call";

const server = new FakeServer();
const bot = new Client(server.url, { world: server.world });
bot.on("message", ({ text }) => bot.say(text));
void bot.search({ again: true });
for (const text of ["one", "two"]) {
  const stranger = await server.meet();
  stranger.say(text);
  console.log(await stranger.hears());
  stranger.leave();
}
process.exit();
"""


def test_a_bot_runs_from_the_packed_package_alone(tmp_path: Path) -> None:
    command = [
        "npm",
        "pack",
        "--silent",
        "--ignore-scripts",
        "--pack-destination",
        str(tmp_path),
        str(ROOT / "client/js"),
    ]
    name = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=True).stdout.split()[
        -1
    ]
    with tarfile.open(tmp_path / name) as packed:
        packed.extractall(tmp_path, filter="data")
    inside = {path.name for path in (tmp_path / "package").iterdir()}
    assert {
        "package.json",
        "v1.js",
        "v1.d.ts",
        "call.js",
        "react.js",
        "testing.js",
        "puzzle.js",
        "search.js",
        "why.js",
    } <= inside
    assert not inside & {"node_modules", "build.mjs"}
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "package").rename(tmp_path / "node_modules/serendip-client")
    (tmp_path / "bot.mjs").write_text(BOT)
    done = subprocess.run(["node", "bot.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (0, "one\ntwo\n"), done.stderr
