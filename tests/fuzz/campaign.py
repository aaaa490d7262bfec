"""Run fuzz targets on all cores: each once for new code and once for cost, from a corpus that is kept and minimised between runs.

    python -m tests.fuzz.campaign [--minutes N | --hours N] [--jobs N] [--only code|cost] [NAME…]
    python -m tests.fuzz.campaign NAME --replay FILE
    python -m tests.fuzz.campaign --costs
    python -m tests.fuzz.campaign --document

An input that crashes, breaks an oracle, takes too much memory or time, or more steps than its target's bound stays in OUT/NAME (crash-…, oom-…,
timeout-…), and is replayed first by the next run; the exit code is then 1. `--costs` replays the dearest known input of each target (`costly/`)
and compares its steps with the bound; `--keep` puts dearer ones there. Once the cause of a fault is mended, its input joins the target's
`corpus/` as found-WHAT. Results of all runs add up in OUT/results.json, from which `--document` writes the table.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from tests.fuzz import results
from tests.fuzz.build import NoClang, build
from tests.fuzz.targets import COSTLY, ORACLE_EVERY, ROOT, ROWS, TARGETS, Target, write_seeds

TIMEOUT: Final = 25  # seconds of one input; longer is a fault too, as regular expressions take no steps
MEMORY: Final = 2560  # MiB
ENDING: Final = 300  # seconds for a program to start, to end, and to minimise its corpus
FAULTS: Final = ("crash", "timeout", "oom")  # how libFuzzer names inputs that failed; leaks are not looked for
PROGRAMS: Final = ROOT / "build" / "fuzz-programs"


class Share(NamedTuple):
    """A target's run for new code, or for cost."""

    target: Target
    is_cost: bool
    out: Path  # of the campaign

    @property
    def folder(self) -> Path:
        """Return the folder of this run."""
        return self.out / (f"{self.target.name}-cost" if self.is_cost else self.target.name)

    @property
    def worst(self) -> Path:
        """Return the file with the dearest input."""
        return self.folder / "worst"


def environment(share: Share, **more: object) -> dict[str, str]:
    """Return the environment of a program."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "0",
        "PYTHONMALLOC": "malloc",  # so that the sanitizer sees each object by itself
        "PYTHONDONTWRITEBYTECODE": "1",
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "FUZZ_PYTHON": sys.executable,
        "FUZZ_TARGET": share.target.name,
        "FUZZ_EVERY": str(ORACLE_EVERY),
        "FUZZ_STEPS": str(share.target.steps),
        **({"FUZZ_COST": "1", "FUZZ_WORST": str(share.worst)} if share.is_cost else {}),
        **{name: str(value) for name, value in more.items()},
    }


def prepare(share: Share) -> None:
    """Write the seeds anew."""
    seeds = share.folder / "seeds"
    shutil.rmtree(seeds, ignore_errors=True)
    (share.folder / "corpus").mkdir(parents=True, exist_ok=True)
    if share.target.is_c:
        write_seeds(share.target, seeds)
    else:
        subprocess.run(
            [PROGRAMS / share.target.name], env=environment(share, FUZZ_SEEDS=seeds), check=True, timeout=ENDING
        )


def replay(share: Share, files: list[Path]) -> subprocess.CompletedProcess[str]:
    """Run inputs, each with its oracle; a fault is the exit code, steps are in the output."""
    return subprocess.run(
        [PROGRAMS / share.target.name, f"-timeout={TIMEOUT}", f"-rss_limit_mb={MEMORY}", *map(str, files)],
        env=environment(share, FUZZ_EVERY=1, FUZZ_SAY=1), check=False, capture_output=True, text=True, errors="replace",
        timeout=ENDING + TIMEOUT * len(files),
    )  # fmt: skip


def steps_of(done: subprocess.CompletedProcess[str]) -> list[int]:
    """Return the steps of the replayed inputs, in order."""
    return [int(found) for found in re.findall(r"^\d+ bytes, (\d+) steps$", done.stdout, re.M)]


def spend(share: Share, command: list[str], seconds: float) -> tuple[int, float]:
    """Run a search with its log in a file; return its exit code, and the seconds of CPU that it took."""
    with (share.folder / "log").open("wb") as to:
        process = subprocess.Popen(command, env=environment(share), stdout=to, stderr=to)
        ending = threading.Timer(seconds + ENDING, process.kill)
        ending.start()
        _, status, usage = os.wait4(process.pid, 0)  # which alone tells the time of this one child
        ending.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def search(share: Share, seconds: float, seed: int) -> results.Result:
    """Search for `seconds`, and minimise the corpus."""
    folder, target = share.folder, share.target
    words = folder / f"{target.name}.dict"
    command = [
        str(PROGRAMS / target.name), str(folder / "corpus"), str(folder / "seeds"), f"-max_total_time={max(1, round(seconds))}",
        f"-max_len={target.size}",
        f"-seed={seed}", f"-timeout={TIMEOUT}", f"-rss_limit_mb={MEMORY}", "-len_control=0", "-print_final_stats=1", "-reload=0",
        f"-artifact_prefix={folder}/", *([f"-dict={words}"] if words.exists() else []),
    ]  # fmt: skip
    code, spent = spend(share, command, seconds)
    found = results.read_log((folder / "log").read_text("utf-8", "replace"), spent)
    if code == 0:
        minimise(share)
    worst = steps_of(replay(share, [share.worst]))[:1] if share.worst.exists() else []
    kept = sum(1 for _ in (folder / "corpus").iterdir())
    return found._replace(failed=code != 0, corpus=kept, steps=max(worst, default=0))


def minimise(share: Share) -> None:
    """Leave of the corpus the smallest inputs that reach all that it reaches."""
    corpus, fresh = share.folder / "corpus", share.folder / "minimal"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    done = subprocess.run(
        [PROGRAMS / share.target.name, "-merge=1", str(fresh), str(corpus), f"-max_len={share.target.size}", f"-timeout={TIMEOUT}"],
        env=environment(share, FUZZ_EVERY=1 << 30), check=False, capture_output=True, timeout=ENDING * 4,
    )  # fmt: skip
    if done.returncode == 0:
        shutil.rmtree(corpus)
        fresh.rename(corpus)


def run(share: Share, seconds: float, seed: int) -> bool:
    """Replay what failed before, search, and record the result; whether nothing failed."""
    prepare(share)
    before = sorted(path for kind in FAULTS for path in share.folder.glob(f"{kind}-*"))
    if before and (done := replay(share, before)).returncode:
        print(f"{share.folder.name}: an earlier input still fails\n{done.stderr[-3000:]}", flush=True)
        return False
    for old in before:
        old.unlink()
    found = search(share, seconds, seed)
    results.add(share.out / "results.json", share.folder.name, found)
    print(f"{share.folder.name}: {found.line}", flush=True)
    if found.failed:
        print((share.folder / "log").read_text("utf-8", "replace")[-3000:], flush=True)
    return not found.failed


def dearer(share: Share, folder: Path) -> None:
    """Keep a search's dearest input if it takes more steps than the one that is kept."""
    known = folder / share.target.name
    if share.is_cost and share.worst.exists():
        old, new = (
            max(steps_of(replay(share, [file])), default=0) if file.exists() else 0 for file in (known, share.worst)
        )
        if new > old:
            shutil.copy(share.worst, known)
            print(f"{share.target.name}: {old:,} → {new:,} steps", flush=True)


def costs(wanted: list[Share]) -> bool:
    """Replay the dearest known input of each target, with its oracle; whether each is within its bound."""
    passed = True
    for share in wanted:
        file = COSTLY / share.target.name
        if share.is_cost or not file.exists():
            continue
        done = replay(share, [file, file])  # the second time what is made once is made
        steps = steps_of(done)[-1:]
        print(f"{share.target.name}: {steps[0] if steps else 0:,} steps, {share.target.steps:,} allowed", flush=True)
        results.add(
            share.out / "results.json",
            f"{share.target.name}-cost",
            results.Result(0, 0.0, 0, 0, steps=max(steps, default=0)),
        )
        if done.returncode or not steps:
            passed = False
            print(done.stderr[-3000:], flush=True)
    return passed


def shares(names: list[str], only: str, out: Path) -> list[Share]:
    """Return what to run: the searches for code first."""
    chosen = [TARGETS[name] for name in names] if names else list(ROWS)
    return [
        Share(target, is_cost, out)
        for is_cost in (False, True)
        if only in ("", "cost" if is_cost else "code")
        for target in chosen
    ]


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="for all targets together, on all cores")
    parser.add_argument("--hours", type=float, help="the same in hours")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="programs at once")
    parser.add_argument(
        "--only", choices=["code", "cost"], default="", help="search for new code alone, or for cost alone"
    )
    parser.add_argument("--seed", type=int, default=int(time.time()) % (1 << 31), help="of the searches")
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "out" / "fuzz", help="corpora, findings, results")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run this input of the one target that is named")
    parser.add_argument("--costs", action="store_true", help="replay the dearest known inputs, and end")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="put dearer inputs than the known ones into this folder"
    )
    parser.add_argument("--document", action="store_true", help="write the table of results into the manual, and end")
    parser.add_argument(
        "--page", type=Path, default=ROOT / "docs" / "operate" / "security.md", help="the page with that table"
    )
    parser.add_argument("names", nargs="*", help="targets; all if none is named")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are: {', '.join(TARGETS)}")
    if chosen.replay and len(chosen.names) != 1:
        parser.error("--replay wants the name of one target")
    return chosen


def main() -> int:
    """Run the command line; 1 if an input failed."""
    chosen = parsed()
    out = chosen.out.resolve()
    if chosen.document:
        results.document(chosen.page, out / "results.json")
        return 0
    try:
        build(PROGRAMS, chosen.names)
    except NoClang as missing:
        print(missing, file=sys.stderr)
        return 1
    if chosen.replay:
        done = replay(Share(TARGETS[chosen.names[0]], False, out), [chosen.replay.resolve()])
        print(done.stdout + done.stderr)
        return min(done.returncode, 1)
    wanted = shares(chosen.names, chosen.only, out)
    if chosen.costs:
        return 0 if costs(wanted) else 1
    seconds = (
        (chosen.hours * 3600 if chosen.hours else chosen.minutes * 60) * min(chosen.jobs, len(wanted)) / len(wanted)
    )
    with ThreadPoolExecutor(chosen.jobs) as pool:
        passed = list(pool.map(lambda share: run(share, seconds, chosen.seed), wanted))
    for share in wanted if chosen.keep else ():
        dearer(share, chosen.keep)
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
