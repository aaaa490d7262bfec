"""Read, add up and show what searches found: executions, rate, coverage, size of the corpus, and the dearest input."""

import json
import re
import threading
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.fuzz.targets import ROWS, Target

BEGIN, END = "<!-- fuzz: begin -->", "<!-- fuzz: end -->"
HEAD: Final = (
    "| target | feeds | compared with | executions | a second of CPU | blocks reached | corpus | dearest input, steps | bound |\n"
    "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
)
_STATUS: Final = re.compile(r"^#\d+\s+\w+\s+(?:cov: (\d+) )?ft: (\d+)", re.M)
_DONE: Final = re.compile(r"^stat::number_of_executed_units:\s+(\d+)", re.M)
_lock = threading.Lock()


class Result(NamedTuple):
    """Result of one search. `seconds`: of CPU; `blocks`: instrumented ones of C that were reached; `features`: those by how often, lines, costs."""

    executions: int
    seconds: float
    blocks: int
    features: int
    corpus: int = 0
    steps: int = 0  # of the dearest input
    failed: bool = False

    @property
    def rate(self) -> int:
        """Return the executions a second of CPU."""
        return round(self.executions / max(self.seconds, 0.001))

    @property
    def line(self) -> str:
        """Return the result in words."""
        said = f"{self.executions:,} executions, {self.rate:,} a second of CPU, {self.blocks} blocks, {self.features} features, {self.corpus} inputs"
        return said + (f", dearest {self.steps:,} steps" if self.steps else "") + (", FAILED" if self.failed else "")


def read_log(text: str, seconds: float) -> Result:
    """Return the result that libFuzzer logged."""
    status, done = _STATUS.findall(text), _DONE.findall(text)
    blocks, features = status[-1] if status else ("0", "0")
    return Result(int(done[-1]) if done else 0, seconds, int(blocks or 0), int(features))


def read(path: Path) -> dict[str, Result]:
    """Return the sums so far, by the name of the search."""
    if not path.exists():
        return {}
    rows: dict[str, dict[str, Any]] = json.loads(path.read_text())
    return {name: Result(**row) for name, row in rows.items()}


def add(path: Path, name: str, found: Result) -> None:
    """Add a result: executions and seconds add up, coverage and cost are the highest."""
    with _lock:
        known = read(path)
        old = known.get(name, Result(0, 0.0, 0, 0))
        known[name] = Result(
            old.executions + found.executions, old.seconds + found.seconds, max(old.blocks, found.blocks), max(old.features, found.features),
            found.corpus or old.corpus, max(old.steps, found.steps), found.failed,
        )  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)  # nothing ran here before
        path.write_text(json.dumps({name: row._asdict() for name, row in sorted(known.items())}, indent=1))


def table(known: dict[str, Result]) -> str:
    """Return the table of all targets that ran."""
    return HEAD + "".join(_row(target, known) for target in ROWS if known.keys() & {target.name, f"{target.name}-cost"})


def _row(target: Target, known: dict[str, Result]) -> str:
    code, cost = (known.get(name, Result(0, 0.0, 0, 0)) for name in (target.name, f"{target.name}-cost"))
    both = Result(code.executions + cost.executions, code.seconds + cost.seconds, 0, 0)
    steps = f"{cost.steps:,}" if cost.steps else ""
    return (
        f"| `{target.name}` | {target.feeds} | {target.oracle} | {both.executions:,} | {both.rate:,} | {max(code.blocks, cost.blocks):,} "
        f"| {code.corpus + cost.corpus:,} | {steps} | {target.steps:,} |\n"
    )


def document(page: Path, source: Path) -> None:
    """Write the table between the marks of a page. Raises ValueError if it has no marks."""
    text = page.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no marks {BEGIN} and {END}")
    known = read(source)
    bytes_run = sum(
        known[name].executions
        for target in ROWS
        if target.is_bytes
        for name in (target.name, f"{target.name}-cost")
        if name in known
    )
    total = f"\nParsers of bytes: {bytes_run:,} executions.\n"
    page.write_text(f"{before}{BEGIN}\n\n{table(known)}{total}\n{END}{after}")
