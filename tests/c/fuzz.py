"""Fuzz all targets, each for its share of the time: `python -m tests.c.fuzz --minutes 10`.

A target is a file, found by its name: `fuzz_*.c` here, with LLVMFuzzerTestOneInput, or `fuzz_*.py` anywhere in tests/, with
`fuzz(data: bytes) -> None`, which lets through no error but the documented ones. In C an input comes from libFuzzer where
there is a clang that has it, else from the driver's seeded dice. Prints how many inputs each took; an input that crashes
stays in tests/out/fuzz/, runs first the next time, and makes the exit code 1.
"""

import argparse
import importlib
import random
import subprocess
import sys
import time
import traceback
from pathlib import Path

from tests.c.build import HERE, ROOT, compiled, libfuzzer

OUT = ROOT / "tests" / "out" / "fuzz"
MOST = 4096  # bytes of an input
SLOW = 60  # seconds that one input may take under libFuzzer; longer is a fault too


def targets() -> list[Path]:
    """Every file that is one."""
    return [*sorted(HERE.glob("fuzz_*.c")), *sorted((ROOT / "tests").rglob("fuzz_*.py"))]


def run_c(target: Path, seconds: float, seed: int) -> bool:
    """Whether every input passed."""
    corpus, crashed = OUT / target.stem, OUT / f"{target.stem}-crash"
    corpus.mkdir(parents=True, exist_ok=True)
    before = sorted(OUT.glob(f"{target.stem}-crash*"))
    if clang := libfuzzer():
        program = compiled([target], OUT / "bin" / target.stem, "fuzzer,address,undefined", clang)
        for old in before:
            if subprocess.run([program, str(old)], check=False).returncode:
                return False
        how = [f"-max_total_time={max(1, round(seconds))}", f"-max_len={MOST}", f"-seed={seed}", f"-timeout={SLOW}"]
        how += [f"-artifact_prefix={crashed}-", "-print_final_stats=1", str(corpus)]
    else:
        program = compiled([target, HERE / "driver.c"], OUT / "bin" / target.stem)
        how = [str(seconds), str(seed), str(MOST), f"{crashed}-{seed}", *map(str, before)]
    done = subprocess.run([program, *how], check=False, timeout=seconds + 10 * SLOW)
    return done.returncode == 0


def run_python(target: Path, seconds: float, seed: int) -> bool:
    """The same for a target in Python: random bytes, half of them near what was tried before."""
    fuzz = importlib.import_module(".".join(target.relative_to(ROOT).with_suffix("").parts)).fuzz
    dice, until, runs, last = random.Random(seed), time.monotonic() + seconds, 0, b""
    before = [path.read_bytes() for path in sorted(OUT.glob(f"{target.stem}-crash*"))]
    while before or time.monotonic() < until:
        if before:
            data = before.pop()
        elif last and dice.random() < 0.5:
            at = dice.randrange(len(last))
            data = last[:at] + dice.randbytes(dice.randrange(4)) + last[at + dice.randrange(4) :]
        else:
            data = dice.randbytes(dice.randrange(1, dice.choice((16, 256, MOST))))
        try:
            fuzz(data)
        except Exception:  # noqa: BLE001 -- whatever it lets through is the finding
            traceback.print_exc()
            (OUT / f"{target.stem}-crash-{seed}").write_bytes(data)
            return False
        last, runs = data, runs + 1
    print(f"{runs} executions")
    return True


def main() -> int:
    """The command line; 1 where an input crashed a target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="for all targets together")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same seed tries the same inputs")
    parser.add_argument("names", nargs="*", help="targets; all where none is named")
    chosen = parser.parse_args()
    found = [target for target in targets() if not chosen.names or target.stem in chosen.names]
    if not found:
        parser.error(f"no such target; there are: {', '.join(target.stem for target in targets())}")
    OUT.mkdir(parents=True, exist_ok=True)
    failed = []
    for target in found:
        print(f"{target.stem}, seed {chosen.seed}: ", end="", flush=True)
        run = run_c if target.suffix == ".c" else run_python
        if not run(target, chosen.minutes * 60 / len(found), chosen.seed):
            failed.append(target.stem)
            print(f"{target.stem} crashed; its input is in {OUT.relative_to(ROOT)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
