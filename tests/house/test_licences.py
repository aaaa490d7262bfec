"""Check the licences: of each locked package by its installed metadata, of each file of others in the page by its row; and the bill of materials."""

import json
import re
from importlib.metadata import Distribution

import pytest

from server.ops.version import VERSION
from tests.house.sources import ROOT
from tests.support.licences import BILL, is_allowed, refused, rows


@pytest.fixture(scope="module")
def packages() -> dict[str, tuple[Distribution, list[str]]]:
    """The packages that are installed for all that the project does; documents and `make audit` have others (tests/site, tests/test_audit.py)."""
    found: dict[str, tuple[Distribution, list[str]]] = BILL["locked"]("all")
    assert len(found) > 150
    return found


def test_the_licence_of_each_locked_package_is_allowed(packages: dict[str, tuple[Distribution, list[str]]]) -> None:
    assert refused((name, package) for name, (package, _) in packages.items()) == {}, (
        "add it, or choose another package"
    )


def test_a_licence_is_written_by_hand_for_locked_packages_alone() -> None:
    assert BILL["READ"].keys() - (rows("all") | rows("site") | rows("audit")) == set()


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-or-later", False),
        ("GPL-3.0-or-later OR MIT", True),
        ("MIT AND GPL-2.0-only", False),
        ("", False),
    ],
)
def test_an_expression_is_read(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) == allowed


def test_each_file_of_others_in_the_page_has_a_licence_that_is_allowed() -> None:
    rows = BILL["vendored"]()
    assert len(rows) >= 6
    assert {row["bom-ref"] for row in rows if not is_allowed(row["licenses"][0]["expression"])} == set()


def test_the_bill_names_what_an_installation_consists_of() -> None:
    bill = json.loads(BILL["bill"]())
    assert (bill["bomFormat"], bill["specVersion"], bill["metadata"]["component"]["version"]) == (
        "CycloneDX",
        "1.6",
        VERSION,
    )
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    assert bill == json.loads(BILL["bill"]()), "the same each time"
    references = [one["bom-ref"] for one in bill["components"]]
    assert len(set(references)) == len(references)
    contained = [one["bom-ref"] for one in bill["components"] if one["scope"] != "excluded"]
    assert bill["dependencies"] == [{"ref": "serendip", "dependsOn": contained}]
    required = {one["purl"] for one in bill["components"] if one["scope"] == "required"}
    lock = (ROOT / "requirements/serve.lock").read_text()
    plain = {f"pkg:pypi/{name}@{version}" for name, version in re.findall(r"^([a-z0-9-]+)==(\S+) \\$", lock, re.M)}
    assert len(plain) > 40
    assert plain <= required
    for one in bill["components"]:
        hashes = one.get("hashes") or one["externalReferences"][0]["hashes"]
        assert all(re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{128}", digest["content"]) for digest in hashes), one["name"]


def test_the_bill_names_what_makes_the_client_and_what_belongs_on_other_machines() -> None:
    bill = json.loads(BILL["bill"]())
    lock = json.loads((ROOT / "client/js/package-lock.json").read_text())["packages"]
    tools = {one["name"]: one for one in bill["components"] if one["scope"] == "excluded"}
    assert {place.removeprefix("node_modules/") for place in lock if place} == tools.keys()
    assert "pkg:npm/%40esbuild/linux-x64@" in tools["@esbuild/linux-x64"]["purl"]
    assert {name for name, one in tools.items() if not is_allowed(one["licenses"][0]["expression"])} == set()
    left_out = [
        one["value"] for one in bill["metadata"]["component"]["properties"] if one["name"] == "serendip:elsewhere"
    ]
    named = {one["name"] for one in bill["components"]} | {one.split()[0] for one in left_out}
    moderation = (ROOT / "requirements/moderation.lock").read_text()
    assert set(re.findall(r"^([^\s#=]+)==", moderation, re.M)) <= named
    assert any(re.fullmatch(r"colorama \S+ ; sys_platform == 'win32'", one) for one in left_out)
