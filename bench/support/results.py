"""Where results are kept. Rule: what a bench found is a JSON document of `bench/results/`; documents are made from it, not by it."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"


def read(name: str) -> dict[str, Any]:
    """A document of results; empty where there is none."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def write(document: dict[str, Any], name: str, *, ordered: bool = True) -> Path:
    """Keep a document; its keys by the alphabet where `ordered`, as they come where not."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(document, indent=1, sort_keys=ordered) + "\n")
    return path
