"""Read, add up and show what searches found: executions, rate, coverage, size of the corpus, and the dearest input."""

import json
import re
import threading
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.fuzz.targets import ROWS, Target

BEGIN, END = "<!-- fuzz: begin -->", "<!-- fuzz: end -->"
HEAD: Final = (
    "| target | feeds | compared with | executions | a second of CPU | blocks reached | corpus | dearest input, steps | bound | findings, open |\n"
    "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
)
_STATUS: Final = re.compile(r"^#(\d+)\s+\w+\s+(?:cov: (\d+) )?ft: (\d+)", re.M)
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
    findings: int = 0  # inputs that fail

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
    """Return the result that libFuzzer logged. One that was stopped has no sum, but its last line of status."""
    status, done = _STATUS.findall(text), _DONE.findall(text)
    number, blocks, features = status[-1] if status else ("0", "0", "0")
    return Result(int(done[-1] if done else number), seconds, int(blocks or 0), int(features))


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
            found.corpus or old.corpus, max(old.steps, found.steps), found.failed, found.findings,
        )  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)  # nothing ran here before
        path.write_text(json.dumps({name: row._asdict() for name, row in sorted(known.items())}, indent=1))


def table(known: dict[str, Result]) -> str:
    """Return the table of all targets that ran."""
    return HEAD + "".join(_row(target, found) for target, found in _ran(known))


class Sum(NamedTuple):
    """What both searches of a target found."""

    both: Result  # executions and seconds are sums
    mended: int  # findings whose input is in the corpus

    @property
    def findings(self) -> str:
        """Return how many findings there were, and how many of them are open."""
        return f"{self.mended + self.both.findings}, {self.both.findings}"


def _sum(target: Target, known: dict[str, Result]) -> Sum:
    code, cost = (known.get(name, Result(0, 0.0, 0, 0)) for name in (target.name, f"{target.name}-cost"))
    both = Result(
        code.executions + cost.executions, code.seconds + cost.seconds, max(code.blocks, cost.blocks), max(code.features, cost.features),
        code.corpus + cost.corpus, cost.steps, code.failed or cost.failed, code.findings + cost.findings,
    )  # fmt: skip
    return Sum(both, sum(1 for _ in target.corpus.glob("found-*")))


def _ran(known: dict[str, Result]) -> list[tuple[Target, Sum]]:
    return [(target, _sum(target, known)) for target in ROWS if known.keys() & {target.name, f"{target.name}-cost"}]


def _bytes_run(known: dict[str, Result]) -> int:
    return sum(found.both.executions for target, found in _ran(known) if target.is_bytes)


def summary(known: dict[str, Result]) -> str:
    """Return the sums of all targets that ran, for a terminal."""
    rows = [("target", "executions", "a CPU second", "blocks", "corpus", "dearest", "bound", "findings, open")]
    for target, found in _ran(known):
        both = found.both
        numbers = both.executions, both.rate, both.blocks, both.corpus, both.steps, target.steps
        rows.append((target.name, *(f"{number:,}" for number in numbers), found.findings))
    lines = ["{:<10} {:>14} {:>12} {:>8} {:>8} {:>12} {:>12} {:>15}".format(*row) for row in rows]
    return "\n".join([*lines, f"parsers of bytes: {_bytes_run(known):,} executions"])


def _row(target: Target, found: Sum) -> str:
    both = found.both
    steps = f"{both.steps:,}" if both.steps else ""
    return (
        f"| `{target.name}` | {target.feeds} | {target.oracle} | {both.executions:,} | {both.rate:,} | {both.blocks:,} "
        f"| {both.corpus:,} | {steps} | {target.steps:,} | {found.findings} |\n"
    )


def document(page: Path, source: Path) -> None:
    """Write the table between the marks of a page. Raises ValueError if it has no marks."""
    text = page.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no marks {BEGIN} and {END}")
    known = read(source)
    total = f"\nParsers of bytes: {_bytes_run(known):,} executions.\n"
    page.write_text(f"{before}{BEGIN}\n\n{table(known)}{total}\n{END}{after}")
