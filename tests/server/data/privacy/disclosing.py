"""Answer orders in the canary test: one package in plain, one encrypted to the authority, and the ledger that records both.

**Invariant:** the packages are outside the folders that the test searches, and what is in them counts as handed to the court.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
from pathlib import Path

from tests.server.data.privacy import rest
from tests.server.data.privacy.drive import Person, Sinks

PACKAGE, SEALED = "package of an order", "package of an order, encrypted"
ORDER = ("--kind", "emergency", "--authority", "A court", "--country", "no", "--categories", "A,B,F,G,H,L,LOG")


async def disclose(environment: dict[str, str], about: Person, sinks: Sinks) -> None:
    """An officer who is alone answers two emergency orders about a person's address, and another operator reviews them."""
    with tempfile.TemporaryDirectory(prefix="serendip-orders-", ignore_cleanup_errors=True) as made:
        await asyncio.to_thread(_disclose, environment, about, sinks, Path(made))


def _disclose(environment: dict[str, str], about: Person, sinks: Sinks, folder: Path) -> None:
    def run(*words: str) -> str:
        body = rest.printed(environment, "privacy", *words)
        sinks.put(f"printed by privacy {words[0]}", body)
        return body.decode()

    paper, key = folder / "paper", folder / "key"
    paper.write_text("Order 7 of the court, in short")
    subprocess.run(["age-keygen", "-o", str(key)], check=True, capture_output=True)
    public = re.findall(r"age1\w+", key.read_text())[0]
    for name, more in ((PACKAGE, ()), (SEALED, ("--age-key", public))):
        said = run(
            "order", "new", *ORDER, "--paper", str(paper), "--address", about.address, *more, "--operator", "ada"
        )
        out = folder / name.replace(" ", "")
        run("order", "produce", said.split()[1].rstrip(":"), "--out", str(out), "--operator", "ada")
        files = sorted(out.iterdir())
        assert [file.name for file in files] == (
            ["README.txt", "SHA256SUMS", "records.json.age"] if more else ["README.txt", "SHA256SUMS", "records.json"]
        )
        for file in files:
            sinks.put(name, file.read_bytes())
    run("order", "list", "--all", "--json")
    run("ledger", "list", "--json")
    run("ledger", "verify", "--json")
    for number in re.findall(r'"number": ?"([0-9A-Z-]+)"', run("emergency", "list", "--json")):
        run("emergency", "review", number, "--verdict", "lawful", "--finding", "the canary", "--operator", "bob")
