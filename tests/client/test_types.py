"""Test the types of the JavaScript client by `tsc --strict`, over the examples too. TypeScript is the version in client/js/package-lock.json."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.printed_programs import printed

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "client" / "js"
OPTIONS = ("--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--lib", "es2023,dom")


@pytest.fixture(scope="session")
def tsc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiler, from the checkout or the registry; the test is skipped where neither has it."""
    there = CLIENT / "node_modules" / ".bin" / "tsc"
    if there.exists():
        return there
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_bytes((CLIENT / name).read_bytes())
    done = subprocess.run(
        ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--fetch-retries=0"],
        cwd=folder,
        capture_output=True,
        timeout=50,
        check=False,
    )
    if done.returncode:
        pytest.skip("npm cannot be reached, and client/js/node_modules is not there (make client)")
    return folder / "node_modules" / ".bin" / "tsc"


def compiled(tsc: Path, *files: Path, more: tuple[str, ...] = ()) -> str:
    """The compiler's messages about files; nothing, if all is well."""
    done = subprocess.run(
        [tsc, *OPTIONS, *more, *files], cwd=ROOT, capture_output=True, text=True, timeout=50, check=False
    )
    return done.stdout


def test_what_is_right_compiles_and_each_wrong_literal_does_not(tsc: Path) -> None:
    assert compiled(tsc, ROOT / "tests/client/typed.mts") == ""


NODE = """
import { Client, type Snapshot } from "serendip-client";
import { Album } from "serendip-client/album";
import { call, type Call } from "serendip-client/call";
import { FakeServer } from "serendip-client/testing";

const server = new FakeServer();
const me = new Client(server.url, { world: server.world, patience: 60 });
const [, stranger] = await Promise.all([me.find({ interests: ["tea"] }, { timeout: 1000 }), server.meet()]);
const snapshot: Snapshot = me.getSnapshot();
const heard: string[] = [...stranger.heard, ...snapshot.lines.map(({ text }) => text)];
const album: Album = await me.album();
const begun: typeof call | Call | undefined = heard.length ? call : undefined;
// @ts-expect-error no such mode
me.find({ mode: "vidoe" });
// @ts-expect-error no address
new Client(5);
export { album, begun };
"""


def test_a_program_without_the_types_of_a_browser_compiles_and_so_do_ours(tsc: Path, tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/serendip-client").symlink_to(CLIENT)
    (tmp_path / "node.mts").write_text(NODE)
    more = ("--lib", "es2023", "--preserveSymlinks")
    assert compiled(tsc, tmp_path / "node.mts", more=more) == ""


def test_the_examples_compile(tsc: Path) -> None:
    examples = sorted((ROOT / "examples").glob("*.mjs"))
    assert examples
    more = ("--allowJs", "--checkJs", "--noImplicitAny", "false")
    assert compiled(tsc, *examples, ROOT / "tests/client/node.d.ts", more=more) == ""


def test_the_program_to_get_started_with_compiles_by_the_packages_name(tsc: Path, tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/serendip-client").symlink_to(CLIENT)
    (tmp_path / "client.mjs").write_text(printed("// client.mjs"))
    more = ("--allowJs", "--checkJs", "--preserveSymlinks")
    assert compiled(tsc, tmp_path / "client.mjs", more=more) == ""


def test_each_declared_member_exists(tsc: Path) -> None:
    """A declaration is a promise that no compiler compares with the code."""
    declared = (CLIENT / "api.d.ts").read_text().partition("export class Client ")[2]
    names = sorted(set(re.findall(r"^  (?:readonly )?(\w+)(?:<.*?>)?[(:]", declared, re.M)) - {"constructor"})
    assert {"find", "say", "getSnapshot", "url"} <= set(names)
    code = (
        f'import {{ Client }} from "{(CLIENT / "v1.js").as_uri()}"; import {{ FakeServer }} from "{(CLIENT / "testing.js").as_uri()}";'
        f"const server = new FakeServer(); const me = new Client(server.url, {{ world: server.world }});"
        f"console.log({names}.filter((name) => !(name in me)).join());"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", code], capture_output=True, text=True, timeout=50, check=True
    )
    assert done.stdout == "\n"
