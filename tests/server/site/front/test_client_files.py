"""Test what the JavaScript client is served as: small, made of its sources, and typed from the protocol."""

import gzip
import hashlib
import json
import tomllib

from server.site.front.client_files import copies
from server.site.front.page_bundle import first_load
from server.site.front.page_files import CLIENT
from tests.house.sources import ROOT

CORE = 6 * 1024  # bytes, as gzip sends it


def test_each_generated_file_is_what_the_command_makes() -> None:
    assert [name for name, text in copies().items() if (CLIENT / name).read_text("utf-8") != text] == [], (
        "run: make client"
    )


def test_the_core_is_made_of_its_sources_as_they_are() -> None:
    sources = {path.name: path.read_bytes() for path in CLIENT.glob("*.js")}
    inside = sorted([*first_load(sources, "client.js"), "client.js"])
    digest = hashlib.sha256(b"".join(sources[name] for name in inside)).hexdigest()[:12]
    assert sources["v1.js"].startswith(f"// {digest}\n".encode()), "run: make client"


def test_the_core_is_sent_in_six_kilobytes() -> None:
    sent = len(gzip.compress((CLIENT / "v1.js").read_bytes(), 9, mtime=0))
    print(f"\nthe client's core: {sent:,} bytes")
    assert sent <= CORE


def test_both_clients_have_one_version_and_the_package_names_files_that_exist() -> None:
    package = json.loads((CLIENT / "package.json").read_text())
    assert package["version"] == tomllib.loads((ROOT / "client/pyproject.toml").read_text())["project"]["version"]
    named = [file for each in package["exports"].values() for file in each.values()]
    assert [file for file in named if not (CLIENT / file).exists()] == []
    assert not package.get("dependencies")
