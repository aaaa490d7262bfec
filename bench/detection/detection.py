"""Measure detection in chat lines: recall and precision by class and language, false alarms in ordinary conversations, time of a line.

    python -m bench detection --fetch          # once: download the public sets into the user's cache
    python -m bench detection                  # print the tables
    python -m bench detection --show age.en    # lines of the half `seen` that are missed, or found wrongly
    python -m bench detection --show ordinary  # findings in the half `seen` of the ordinary conversations
    python -m bench detection --record         # write the result, the document and the floor of the test

Each set has two halves: rules are written by looking at `seen`; of `held` only the counts are printed.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from bench.detection.conversations import conversations, fetched_conversations, right_findings
from bench.detection.detectors import DETECTORS, Detector
from bench.detection.floor import floor_of, read_floor, worse, write_floor
from bench.detection.labelled_lines import (
    SEEN,
    BadSet,
    LabelledSet,
    own_sets,
    pinned_conversations,
    pinned_files,
    public_sets,
)
from bench.detection.public_files import fetch_file, missing_files, sets_folder
from bench.detection.scores import counts_for, score_conversations, score_set, time_lines
from bench.detection.tables import consequences, lines
from bench.support.documents import fill
from bench.support.machine import machine
from bench.support.results import ROOT, write

DOCUMENT: Final = ROOT / "docs" / "operate" / "detection.md"
ORDINARY: Final = "ordinary"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the detector, lines to show, and whether to fetch sets or to record the result."""
    parser.add_argument("--detector", choices=sorted(DETECTORS), help="measure this one alone; default: all")
    parser.add_argument("--show", metavar="SET", help="CLASS.LANGUAGE or ordinary: lines of the half `seen`")
    parser.add_argument("--fetch", action="store_true", help="download the public sets that are missing")
    parser.add_argument("--record", action="store_true", help="write result, document and floor; needs all sets")


def main(chosen: argparse.Namespace) -> int:
    """Run what was chosen; return 1 if a figure is worse than its floor, or a set is missing that must be there."""
    folder = sets_folder()
    try:
        if chosen.fetch:
            return fetch(folder)
        sets = labelled_sets(folder)
    except (BadSet, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    names = [chosen.detector] if chosen.detector else list(DETECTORS)
    if chosen.show:
        return show(DETECTORS[names[0]](), sets, chosen.show)
    document = {"machine": machine(), "detectors": {name: measure(DETECTORS[name], sets) for name in names}}
    print(lines(document))
    lacking = missing_files(pinned_files() + pinned_conversations(), folder)
    for file in lacking:
        print(f"not measured: {file.name} ({file.about['name']}) is not in {folder}; --fetch", file=sys.stderr)
    if chosen.record:
        return record(document, complete=not lacking and not chosen.detector)
    return compare(document)


def labelled_sets(folder: Path) -> list[LabelledSet]:
    """Return the sets of this repository, and the public ones that are in the folder. Raises BadSet."""
    return own_sets() + [one for file in pinned_files() for one in public_sets(file, folder)]


def measure(make: Callable[..., Detector], sets: list[LabelledSet]) -> dict[str, Any]:
    """Return the scores of a detector over all sets and conversations, and its time with the bounds of the service."""
    detect = make()
    ordinary = [*conversations(), *fetched_conversations(sets_folder())]
    every = [line.text for one in sets for line in one.lines] + [line for chat in ordinary for line in chat.lines]
    return {
        "sets": [score_set(detect, one) for one in sets],
        "conversations": score_conversations(detect, ordinary, right_findings()),
        "time": time_lines(make(timed=True), every),
    }


def fetch(folder: Path) -> int:
    """Download the missing files, and say so."""
    for file in missing_files(pinned_files() + pinned_conversations(), folder):
        try:
            fetch_file(file, folder)
        except OSError as error:
            print(f"{file.url}: {error}; a copy may be put into {folder} as {file.name}", file=sys.stderr)
            return 1
        print(f"{file.name}: {file.about['source']}, {file.about['licence']}")
    print(f"all public sets are in {folder}")
    return 0


def record(document: dict[str, Any], *, complete: bool) -> int:
    """Write the result, the tables of the document and the floor; refuse if a set or a detector is left out."""
    if not complete:
        print("nothing recorded: a record has all sets and detectors", file=sys.stderr)
        return 1
    write(document, "detection", ordered=False)
    fill(DOCUMENT, "detection", lines(document))
    fill(DOCUMENT, "consequences", consequences())
    write_floor(document["detectors"])
    return 0


def compare(document: dict[str, Any]) -> int:
    """Print what is worse than the recorded floor; return 1 if anything is."""
    recorded = read_floor()
    faults = [
        f"{name}: {fault}"
        for name, result in document["detectors"].items()
        for fault in worse(recorded.get(name, {}), floor_of(result))
    ]
    print("\n".join(faults) or "nothing is worse than recorded")
    return 1 if faults else 0


def show(detect: Detector, sets: list[LabelledSet], wanted: str) -> int:
    """Print lines of the half `seen` that are missed or wrongly found; return 1 if there is no such set."""
    kind, _, language = wanted.partition(".")
    chosen = [one for one in sets if one.half == SEEN and (one.kind, one.language) == (kind, language)]
    if wanted != ORDINARY and not chosen:
        print(f"no set {wanted}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader such as head may end before
    for row in _ordinary(detect) if wanted == ORDINARY else _mistakes(detect, chosen):
        print(row)
    return 0


def _mistakes(detect: Detector, sets: list[LabelledSet]) -> Iterator[str]:
    for one in sets:
        for line in one.lines:
            hits = [hit for hit in detect(line.text) if hit.kind in counts_for(one.kind)]
            if line.positive != bool(hits):
                yield f"{'missed' if line.positive else 'wrong'}\t{one.name}\t{','.join(hit.rule for hit in hits)}\t{line.text}"


def _ordinary(detect: Detector) -> Iterator[str]:
    right = right_findings()
    for chat in (*conversations(), *fetched_conversations(sets_folder())):
        if chat.half == SEEN:
            for number, line in enumerate(chat.lines, 1):
                for hit in detect(line):
                    if (hit.kind, chat.key, number) not in right:
                        yield f"{hit.kind}\t{chat.key}\t{number}\t{hit.rule}\t{line}"
