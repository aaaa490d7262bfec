"""Write the figures of the text model's card from its file and the half `held`: `python -m bench card`.

The model alone is measured, as `screening.model=all` uses it. Harmless lines about a group that the model still finds show for which groups it
confuses the name with hate. **Invariant:** of `held` only counts are written.
"""

import argparse
import csv
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import orjson

from bench.detection.detection import labelled_sets
from bench.detection.detectors import CLASSES_OF_SERVICE, Detector, Hit
from bench.detection.labelled_lines import HELD, PublicFile, half_of, pinned_files
from bench.detection.public_files import missing_files, sets_folder
from bench.detection.scores import ALL, HIGH, precision, recall, score_set
from bench.detection.tables import NAMES, percent
from bench.support.documents import fill, table
from bench.support.results import ROOT
from engine.conduct.detection_classes import LOW, RULES
from server.trust.screening.text_folding import split_line
from server.trust.screening.text_model import FILE, read_use

CARD: Final = ROOT / "docs" / "operate" / "text-model.md"
GROUP_MIN: Final = 20  # ordinary lines about a group, below which a share says nothing


def detector() -> Detector:
    """Return the detector of the model alone."""
    use = read_use("all")

    def detect(line: str) -> list[Hit]:
        kinds = [(rule, RULES[rule]) for rule in use.rules(next(split_line(line)).text, [])]
        return [Hit(CLASSES_OF_SERVICE[kind.name], rule, kind.confidence == LOW) for rule, kind in kinds]

    return detect


def figures(rows: list[dict[str, Any]]) -> str:
    """Return the table of recall and precision by class, language and set."""
    modelled = {CLASSES_OF_SERVICE[kind.name] for rule, kind in RULES.items() if ".model" in rule}
    shown = [
        (
            NAMES[row["class"]], row["language"], row["set"], f"{row['positive']:,} + {row['negative']:,}",
            *(percent(share(row, which)) for which in (ALL, HIGH) for share in (recall, precision)),
        )
        for row in sorted(rows, key=lambda row: (row["class"], row["language"]))
        if row["class"] in modelled
    ]  # fmt: skip
    columns = ("class", "language", "set", "lines: of the class + ordinary", "recall", "precision")
    return table((*columns, "recall, high", "precision, high"), shown)


def groups(detect: Detector, files: list[PublicFile], folder: Path) -> str:
    """Return the table of ordinary lines about groups, and of those in which hate is found, over all languages of HateCheck."""
    there: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for file in files:
        if "group" not in file.about:
            continue
        for row in csv.DictReader((folder / file.name).read_text("utf-8").splitlines()):
            held = half_of(file.about["name"], row[file.about["group"]]) == HELD
            name = row["target_ident"].strip().lower()
            if held and name and row[file.about["label"]] != file.about["positive"]:
                there[name] += 1
                found[name] += any(hit.kind == "hate" for hit in detect(row[file.about["text"]]))
    names = sorted((name for name in there if there[name] >= GROUP_MIN), key=lambda name: -found[name] / there[name])
    rows = [(name, f"{there[name]:,}", percent(found[name] / there[name])) for name in names]
    return table(("group", "ordinary lines", "found as hate"), rows)


def text(folder: Path) -> str:
    """Return the card's part that is made."""
    about = orjson.loads(FILE.read_bytes().partition(b"\n")[0])
    detect = detector()
    rows = [score_set(detect, one) for one in labelled_sets(folder) if one.half == HELD]
    trained = ", ".join(f"{NAMES[CLASSES_OF_SERVICE[name]]} {count:,}" for name, count in about["positive"].items())
    return (
        f"{FILE.stat().st_size:,} bytes, trained on {about['lines']:,} lines; of the classes: {trained}.\n\n"
        f"{figures(rows)}\nOrdinary lines of HateCheck that name a group, all languages:\n\n{groups(detect, pinned_files(), folder)}"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options: there are none."""


def main(_: argparse.Namespace) -> int:
    """Fill the card; return 1 if a set is missing."""
    folder = sets_folder()
    if missing_files(pinned_files(), folder):
        print("python -m bench detection --fetch", file=sys.stderr)
        return 1
    fill(CARD, "text-model", text(folder))
    return 0
