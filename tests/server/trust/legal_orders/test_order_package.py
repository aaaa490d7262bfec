"""Test packages that are sent: a ZIP file with the files of the folder, and an order that stays open until all of it was sent."""

from __future__ import annotations

import asyncio
import hashlib
import io
import subprocess
import zipfile
from pathlib import Path

import orjson
import pytest

from server.data.errors import StoreAway
from server.data.privacy import registry_history
from server.data.privacy.disclosure_ledger import DisclosureLedger
from server.ops.security.reference_numbers import shown
from server.trust.legal_orders.law_orders import OrderRefused
from tests.server.data.conftest import Kit, address
from tests.server.trust.legal_orders.orders import BOB, approvals, officers, order, orders, production, stored
from tests.server.trust.rights.people import A


@pytest.fixture(autouse=True, scope="module")
def _versions() -> None:
    """Read the registry's versions before a loop runs, as the server does at its start."""
    registry_history.history()


class Browser:
    """A browser that takes packages. `breaks`: its connection ends before the end."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.breaks = breaks
        self.got: list[bytes] = []

    async def take(self, body: bytes) -> None:
        """Take a package."""
        if self.breaks:
            raise ConnectionResetError
        self.got.append(body)

    @property
    def files(self) -> dict[str, bytes]:
        """The files of the one package, by name."""
        (body,) = self.got
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            return {name: packed.read(name) for name in packed.namelist()}


async def asked(kit: Kit, **more: str) -> str:
    """Enter an order, and have it approved. Return its number."""
    await officers(kit, "ada", "bob")
    await stored(kit)
    number = await orders(kit).new(order(**more), "ada")
    browser = Browser()
    assert (await production(kit).download(number, "ada", browser.take)).state == "asked"
    assert browser.got == []
    (waiting,) = await approvals(kit)[1].waiting(BOB)
    await approvals(kit)[1].confirm(waiting.id, BOB)
    return number


async def phases(kit: Kit) -> list[str]:
    return [line["phase"] for line in reversed(await orders(kit).ledger.lines())]


async def test_a_package_that_is_sent_has_the_files_of_the_folder_and_closes_the_order(kit: Kit) -> None:
    number, browser = await asked(kit), Browser()
    assert (await production(kit).download(number, "ada", browser.take)).state == "done"
    folder = f"order-{shown(number)}/"
    files = {name.removeprefix(folder): body for name, body in browser.files.items()}
    assert sorted(files) == ["README.txt", "SHA256SUMS", "records.json"]
    for line in files["SHA256SUMS"].decode().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256(files[name]).hexdigest() == digest
    assert address(A) in str(orjson.loads(files["records.json"])["records"]["addresses"])
    assert await phases(kit) == ["intent", "done"]
    found, _, _ = await orders(kit).read(number)
    assert (found.state, found.why) == ("produced", "produced by ada")
    with pytest.raises(OrderRefused, match="produced"):
        await production(kit).download(number, "ada", browser.take)


async def test_a_package_that_was_not_sent_whole_was_not_given_and_is_made_again(kit: Kit) -> None:
    number = await asked(kit)
    with pytest.raises(ConnectionResetError):
        await production(kit).download(number, "ada", Browser(breaks=True).take)
    assert (await phases(kit), (await orders(kit).read(number))[0].state) == (["intent", "failed"], "open")
    browser = Browser()
    assert (await production(kit).download(number, "ada", browser.take)).state == "done"
    assert await phases(kit) == ["intent", "failed", "intent", "done"]
    assert len(browser.files) == 3


async def test_a_package_that_may_have_been_sent_counts_as_given_when_it_is_made_again(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, browser, making = await asked(kit), Browser(), production(kit)

    async def away(*_: object) -> None:
        raise StoreAway

    with monkeypatch.context() as patch:
        patch.setattr(DisclosureLedger, "done", away)
        with pytest.raises(StoreAway):
            await making.download(number, "ada", browser.take)
    assert (len(browser.files), await phases(kit)) == (3, ["intent"])
    assert (await making.download(number, "ada", Browser().take)).state == "done"
    assert await phases(kit) == ["intent", "done", "intent", "done"], "no line says that nothing left"


async def test_a_package_that_is_sent_is_encrypted_to_the_authority(kit: Kit, tmp_path: Path) -> None:
    key = tmp_path / "key"
    made = await asyncio.to_thread(
        subprocess.run, ["age-keygen", "-o", str(key)], check=True, capture_output=True, text=True
    )
    number, browser = await asked(kit, age_key=made.stderr.split()[-1]), Browser()
    await production(kit).download(number, "ada", browser.take)
    assert not any(address(A).encode() in body for body in browser.files.values())
    (sealed,) = (body for name, body in browser.files.items() if name.endswith("records.json.age"))
    opened = await asyncio.to_thread(
        subprocess.run, ["age", "-d", "-i", str(key)], input=sealed, check=True, capture_output=True
    )
    assert address(A).encode() in opened.stdout
