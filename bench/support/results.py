"""Read and write results: JSON documents in `bench/results/`, from which documents are made."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"


def read(name: str) -> dict[str, Any]:
    """Return a document of results; empty if it does not exist."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def write(document: dict[str, Any], name: str, *, ordered: bool = True) -> Path:
    """Write a document; keys sorted if `ordered`, else as given."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(document, indent=1, sort_keys=ordered) + "\n")
    return path
