"""Run fuzz targets on all cores: each once for new code and once for cost, from a corpus that is kept and minimised between runs.

    python -m tests.fuzz.campaign [--minutes N | --hours N] [--jobs N] [--only code|cost] [NAME…]
    python -m tests.fuzz.campaign NAME --replay FILE
    python -m tests.fuzz.campaign --costs
    python -m tests.fuzz.campaign --document

An input that crashes, breaks an oracle, takes too much memory or time, or more steps than its target's bound stays in OUT/NAME (crash-…, oom-…,
timeout-…), and is replayed first by the next run; the exit code is then 1. It ends the turn of its target alone, as does a program that does not
start or end. Parsers of bytes get BYTES_WEIGHT times the time of others. Ctrl-C or SIGTERM ends the searches; what they found until then counts.

`--costs` replays the dearest known input of each target (`costly/`) and compares its steps with the bound; `--keep` puts dearer ones there. Once the
cause of a fault is mended, its input joins the target's `corpus/` as found-WHAT. Results of all runs add up in OUT/results.json, from which
`--document` writes the table.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from tests.fuzz import results
from tests.fuzz.build import NoClang, build
from tests.fuzz.targets import COSTLY, ORACLE_EVERY, ROOT, ROWS, TARGETS, Target, write_seeds

TIMEOUT: Final = 25  # seconds of one input; longer is a fault too, as regular expressions take no steps
MEMORY: Final = 2560  # MiB
ENDING: Final = 300  # seconds for a program to start, to end, and to minimise its corpus
BYTES_WEIGHT: Final = 4
# A bound is at most so many times the dearest known input: 2.6 where bounds are set, by clang 14; clang 19 counts up to a fifth fewer blocks.
BOUND_OF_KNOWN: Final = 4
ASAN: Final = "detect_leaks=0:allocator_may_return_null=1"
# A search remembers less of each allocation than a replay of what it finds: a third more executions a second.
QUICK_ASAN: Final = f"{ASAN}:malloc_context_size=2:quarantine_size_mb=16"
STOPPED: Final = 72  # exit code of libFuzzer after SIGINT
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
        "ASAN_OPTIONS": ASAN,
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "FUZZ_PYTHON": sys.executable,
        "FUZZ_TARGET": share.target.name,
        "FUZZ_EVERY": str(ORACLE_EVERY),
        "FUZZ_STEPS": str(share.target.steps),
        **({"FUZZ_COST": "1"} if share.is_cost else {}),
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


def cost_of(share: Share, file: Path) -> tuple[int, subprocess.CompletedProcess[str]]:
    """Replay an input twice, as the first time it may make what is kept; return the steps of the last time (0: it failed), and what was said."""
    done = replay(share, [file, file])
    steps = 0 if done.returncode else steps_of(done)[-1]  # libFuzzer itself runs an input once more
    return steps, done


def end(process: int, how: signal.Signals) -> None:
    """Send a signal to a search. (`Popen.send_signal` may reap it, whose time is then lost.)"""
    with suppress(ProcessLookupError):
        os.kill(process, how)


def faults(folder: Path) -> list[Path]:
    """Return the inputs of a search that failed."""
    return sorted(path for kind in FAULTS for path in folder.glob(f"{kind}-*"))


def minimise(share: Share) -> None:
    """Leave of the corpus the smallest inputs that reach all that it reaches. It stays as it is if a program takes too long for that, or fails."""
    corpus, fresh = share.folder / "corpus", share.folder / "minimal"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    try:
        done = subprocess.run(
            [PROGRAMS / share.target.name, "-merge=1", str(fresh), str(corpus), f"-max_len={share.target.size}", f"-timeout={TIMEOUT}"],
            env=environment(share, FUZZ_EVERY=1 << 30, ASAN_OPTIONS=QUICK_ASAN), check=False, capture_output=True, timeout=ENDING * 4,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"{share.folder.name}: the corpus stays as it is, as minimising took too long", flush=True)
        return
    if done.returncode == 0:
        shutil.rmtree(corpus)
        fresh.rename(corpus)


class Campaign:
    """Searches, so many at once; each has its turn. `seconds`: of all turns together."""

    def __init__(self, wanted: list[Share], seconds: float, jobs: int, seed: int) -> None:
        self._wanted = wanted
        self._jobs = jobs
        self._seed = seed
        weights = [BYTES_WEIGHT if share.target.is_bytes else 1 for share in wanted]
        self._seconds = {share: seconds * weight / sum(weights) for share, weight in zip(wanted, weights, strict=True)}
        self._running: set[int] = set()  # process ids
        self._is_stopped = False

    def run(self) -> bool:
        """Run all searches, and print what each found; whether nothing failed."""
        passed = True
        with ThreadPoolExecutor(self._jobs) as pool:
            turns = {pool.submit(self.turn, share): share for share in self._wanted}
            try:
                for number, turn in enumerate(as_completed(turns), 1):
                    said, failed = turn.result()
                    print(f"[{number}/{len(turns)}] {turns[turn].folder.name}: {said}", flush=True)
                    passed = passed and not failed
            except KeyboardInterrupt:
                self.stop()
                pool.shutdown(cancel_futures=True)
        return passed and not self._is_stopped

    def stop(self) -> None:
        """End the searches that run."""
        self._is_stopped = True
        for number in [*self._running]:
            end(number, signal.SIGINT)

    def turn(self, share: Share) -> tuple[str, bool]:
        """Replay what failed before, search, and record the result; return it in words, and whether anything failed."""
        if self._is_stopped:
            return "it did not run", False
        try:
            prepare(share)
            before = faults(share.folder)
            if before and (done := replay(share, before)).returncode:
                return f"an earlier input still fails\n{done.stderr[-3000:]}", True
            for old in before:
                old.unlink()
            found = self._search(share)
        except (subprocess.SubprocessError, OSError) as fault:
            found = results.Result(0, 0.0, 0, 0, failed=True)
            results.add(share.out / "results.json", share.folder.name, found)
            return f"its turn ended: {fault}", True
        results.add(share.out / "results.json", share.folder.name, found)
        log = (share.folder / "log").read_text("utf-8", "replace")[-3000:] if found.failed else ""
        return "\n".join([found.line, *([log] if log else [])]), found.failed

    def _search(self, share: Share) -> results.Result:
        """Search, and minimise the corpus. An input that failed for time or memory counts if it does so again: others had the machine meanwhile."""
        folder, target = share.folder, share.target
        words = folder / f"{target.name}.dict"
        command = [
            str(PROGRAMS / target.name), str(folder / "corpus"), str(folder / "seeds"),
            f"-max_total_time={max(1, round(self._seconds[share]))}", f"-max_len={target.size}", f"-seed={self._seed}", f"-timeout={TIMEOUT}",
            f"-rss_limit_mb={MEMORY}", "-len_control=0", "-print_final_stats=1", "-reload=0", f"-artifact_prefix={folder}/",
            *([f"-dict={words}"] if words.exists() else []),
        ]  # fmt: skip
        code, spent = self._spend(share, command)
        found = results.read_log((folder / "log").read_text("utf-8", "replace"), spent)
        inputs = faults(folder)
        for slow in [path for path in inputs if not path.name.startswith("crash-")]:
            if replay(share, [slow]).returncode == 0:
                slow.unlink()
        failed = faults(folder)
        if not failed and not self._is_stopped:
            minimise(share)
        steps = cost_of(share, share.worst)[0] if share.worst.exists() else 0
        kept = sum(1 for _ in (folder / "corpus").iterdir())
        broke = code not in (0, STOPPED, -signal.SIGINT) and not inputs  # it did not start, or was killed
        return found._replace(failed=bool(failed) or broke, corpus=kept, steps=steps, findings=len(failed))

    def _spend(self, share: Share, command: list[str]) -> tuple[int, float]:
        """Run a search with its log in a file; return its exit code, and the seconds of CPU that it took."""
        with (share.folder / "log").open("wb") as to:
            # the search alone: another program would overwrite what it kept
            more = {"FUZZ_WORST": share.worst} if share.is_cost else {}
            process = subprocess.Popen(
                command, env=environment(share, ASAN_OPTIONS=QUICK_ASAN, **more), stdout=to, stderr=to
            )
            self._running.add(process.pid)
            if self._is_stopped:
                end(process.pid, signal.SIGINT)
            ending = threading.Timer(self._seconds[share] + ENDING, end, (process.pid, signal.SIGKILL))
            ending.start()
            _, status, usage = os.wait4(process.pid, 0)  # which alone tells the time of this one child
            ending.cancel()
        self._running.discard(process.pid)
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, usage.ru_utime + usage.ru_stime


def dearer(share: Share, folder: Path) -> None:
    """Keep a search's dearest input if it takes more steps than the one that is kept."""
    known = folder / share.target.name
    if share.is_cost and share.worst.exists():
        old, new = (cost_of(share, file)[0] if file.exists() else 0 for file in (known, share.worst))
        if new > old:
            shutil.copy(share.worst, known)
            print(f"{share.target.name}: {old:,} → {new:,} steps", flush=True)


def is_counted(target: Target) -> bool:
    """Whether all steps of a target are counted here; print that they are not."""
    if target.is_c or hasattr(sys, "monitoring"):
        return True
    print(f"{target.name}: left out, as this Python reports no lines (3.12 does)", flush=True)
    return False


def costs(wanted: list[Target], out: Path) -> bool:
    """Replay the dearest known input of each target, with its oracle; whether each is within its bound, and no bound is far above it."""
    passed, path = True, out / "results.json"
    for target in wanted:
        steps, done = cost_of(Share(target, False, out), COSTLY / target.name)
        is_tight = target.steps <= BOUND_OF_KNOWN * steps
        print(f"{target.name}: {steps:,} steps, {target.steps:,} allowed", flush=True)
        old = results.read(path).get(
            f"{target.name}-cost", results.Result(0, 0.0, 0, 0)
        )  # what a search found stays open
        results.add(path, f"{target.name}-cost", results.Result(0, 0.0, 0, 0, 0, steps, old.failed, old.findings))
        if not steps:
            print(done.stdout[-300:] + done.stderr[-3000:], flush=True)
        elif not is_tight:
            print(f"{target.name}: the bound is more than {BOUND_OF_KNOWN} times the dearest known input", flush=True)
        passed = passed and is_tight
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
        return (
            0
            if costs([target for target in dict.fromkeys(share.target for share in wanted) if is_counted(target)], out)
            else 1
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seconds = (chosen.hours * 3600 if chosen.hours else chosen.minutes * 60) * min(chosen.jobs, len(wanted))
    passed = Campaign(wanted, seconds, chosen.jobs, chosen.seed).run()
    print(results.summary(results.read(out / "results.json")), flush=True)
    for share in wanted if chosen.keep else ():
        dearer(share, chosen.keep)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
