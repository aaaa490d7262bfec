"""Fuzz all targets, each for its share of the time: `python -m tests.c.fuzz --minutes 10`.

A target is a file, found by its name: `fuzz_*.c` here, with LLVMFuzzerTestOneInput, or `fuzz_*.py` anywhere in tests/ (what it has:
tests/support/fuzzing.py). In C an input comes from libFuzzer where there is a clang that has it, else from the driver's seeded dice; in
Python from a seeded mutator, and the process stands under the sanitizers where ext/ was compiled for them (`make fuzz` sees to that).
Prints how many inputs each took; an input that crashes stays in tests/out/fuzz/, runs first the next time, and makes the exit code 1.
`NAME --replay FILE` runs that one input. Once mended it goes to the target's corpus/ as found-WHAT, which is a test from then on.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from tests.c.build import HERE, ROOT, compiled, environment, libfuzzer
from tests.support.fuzzing import MOST, kept

OUT = ROOT / "tests" / "out" / "fuzz"
SLOW = 60  # seconds that one input may take; longer is a fault too


def targets() -> list[Path]:
    """Every file that is one."""
    return [*sorted(HERE.glob("fuzz_*.c")), *sorted((ROOT / "tests").rglob("fuzz_*.py"))]


def run_c(target: Path, seconds: float, seed: int, out: Path) -> bool:
    """Whether every input passed."""
    corpus, crashed = out / target.stem, out / f"{target.stem}-crash"
    corpus.mkdir(parents=True, exist_ok=True)
    before = sorted(out.glob(f"{target.stem}-crash*"))
    if clang := libfuzzer():
        program = compiled([target], out / "bin" / target.stem, "fuzzer,address,undefined", clang)
        for old in before:
            if subprocess.run([program, str(old)], check=False).returncode:
                return False
        how = [f"-max_total_time={max(1, round(seconds))}", f"-max_len={MOST}", f"-seed={seed}", f"-timeout={SLOW}"]
        how += [f"-artifact_prefix={crashed}-", "-print_final_stats=1", str(corpus)]
    else:
        program = compiled([target, HERE / "driver.c"], out / "bin" / target.stem)
        how = [str(seconds), str(seed), str(MOST), f"{crashed}-{seed}", *map(str, before)]
    done = subprocess.run([program, *how], check=False, timeout=seconds + 10 * SLOW)
    return done.returncode == 0


def run_python(target: Path, seconds: float, seed: int, out: Path) -> bool:
    """The same for a target in Python."""
    current = out / f"{target.stem}-current"
    current.write_bytes(b"")
    before = [*kept(target), *sorted(out.glob(f"{target.stem}-crash*"))]
    if fed(target, seconds, seed, current, before):
        return True
    current.rename(out / f"{target.stem}-crash-{seed}")
    return False


def fed(target: Path, seconds: float, seed: int, current: Path, inputs: list[Path]) -> bool:
    """Whether a process that runs `inputs`, and then what is made of them, ended well and in time."""
    words = [ROOT, target, seconds, seed, current, *inputs]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.fuzzing", *map(str, words)],
            cwd=ROOT,
            env=environment(),
            check=False,
            timeout=seconds + SLOW,
        )
    except subprocess.TimeoutExpired:
        print(f"an input took {SLOW} seconds", file=sys.stderr)
        return False
    return done.returncode == 0


def replayed(target: Path, file: Path, out: Path) -> bool:
    """Whether one input passes."""
    if target.suffix == ".py":
        return fed(target, 0, 0, out / f"{target.stem}-current", [file.resolve()])
    program = compiled([target, HERE / "driver.c"], out / "bin" / target.stem)
    done = subprocess.run([program, "0", "0", str(MOST), out / f"{target.stem}-again", file], check=False)
    return done.returncode == 0


def main() -> int:
    """The command line; 1 where an input crashed a target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="for all targets together")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same seed tries the same inputs")
    parser.add_argument("--out", type=Path, default=OUT, help="where inputs that crash stay")
    parser.add_argument(
        "--replay", type=Path, metavar="FILE", help="run this one input, of the one target that is named"
    )
    parser.add_argument("names", nargs="*", help="targets; all where none is named")
    chosen = parser.parse_args()
    found = [target for target in targets() if not chosen.names or target.stem in chosen.names]
    if not found:
        parser.error(f"no such target; there are: {', '.join(target.stem for target in targets())}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    if chosen.replay is not None:
        if len(found) != 1:
            parser.error("--replay wants the name of one target")
        return 0 if replayed(found[0], chosen.replay, chosen.out) else 1
    failed = []
    for target in found:
        print(f"{target.stem}, seed {chosen.seed}: ", end="", flush=True)
        run = run_c if target.suffix == ".c" else run_python
        if not run(target, chosen.minutes * 60 / len(found), chosen.seed, chosen.out):
            failed.append(target.stem)
            print(f"{target.stem} crashed; its input is in {chosen.out}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
