"""Build the fuzz programs: `ext/` by clang with coverage, steps and sanitizers, and `host.c` with libFuzzer once a target.

    python -m tests.fuzz.build [--out FOLDER] [NAME…]

Run it in a tree that may be built so (`make fuzz` copies one to `build/fuzz`). FUZZ_CC, FUZZ_CXX, FUZZ_CFLAGS and LIB_FUZZING_ENGINE, if set,
choose compilers, sanitizers and engine, as OSS-Fuzz does; else clang, its libFuzzer, and both sanitizers are used.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

from tests.c.build import libfuzzer
from tests.fuzz.targets import ROOT, ROWS, TARGETS, Target

HERE: Final = Path(__file__).resolve().parent
SANITIZERS: Final = "address,undefined"
# An address in CPython's headers is computed from NULL, and clang's check of what is called through pointers knows no Python types.
BUT: Final = ("-fno-sanitize=function,pointer-overflow,alignment", "-fno-sanitize-recover=all")
COUNTED: Final = (
    "-fsanitize=fuzzer-no-link",
    "-fsanitize-coverage=trace-pc",
)  # besides the coverage of libFuzzer: steps
BASE: Final = ("-gline-tables-only", "-O1", "-fno-omit-frame-pointer", "-DSERENDIP_DEBUG")


class NoClang(Exception):
    """There is no clang with libFuzzer."""


def compiler() -> str:
    """Return the clang to build with. Raises NoClang."""
    found = os.environ.get("FUZZ_CC") or libfuzzer()
    if found is None:
        raise NoClang(
            "missing: clang with libFuzzer. Get it: apt-get install clang (and llvm's libclang-rt-dev, where it is apart)"
        )
    return found


def flags() -> list[str]:
    """Return the flags of code that is fuzzed: those of OSS-Fuzz if it gives any, else ours."""
    given = os.environ.get("FUZZ_CFLAGS")
    sanitized = given.split() if given else [f"-fsanitize={SANITIZERS}", *BUT, *COUNTED[:1]]
    return [*BASE, *sanitized, *COUNTED[1:], "-include", str(HERE / "steps.h")]


def compile_modules() -> None:
    """Compile `ext/` and the native entries in place."""
    clang = compiler()
    environment = {
        **os.environ, "SERENDIP_BUILD": "fuzz", "CC": clang, "LDSHARED": f"{clang} -shared", "SERENDIP_FLAGS": " ".join(flags()),
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--parallel", str(os.cpu_count())],
        cwd=ROOT, env=environment, check=True,
    )  # fmt: skip


def engine() -> list[str]:
    """Return what links libFuzzer."""
    given = os.environ.get("LIB_FUZZING_ENGINE")
    sanitized = os.environ.get("FUZZ_CFLAGS")
    return [*(sanitized.split() if sanitized else [f"-fsanitize={SANITIZERS}", *BUT]), given or "-fsanitize=fuzzer"]


def python_flags() -> tuple[list[str], list[str]]:
    """Return the flags to compile with, and to link, for an embedded interpreter."""
    variables = sysconfig.get_config_vars()
    include = [f"-I{sysconfig.get_path('include')}", f"-I{sysconfig.get_path('platinclude')}"]
    folder = variables["LIBDIR"] if variables["Py_ENABLE_SHARED"] else variables["LIBPL"]
    link = [
        f"-L{folder}",
        f"-lpython{variables['LDVERSION']}",
        *variables["LIBS"].split(),
        *variables["SYSLIBS"].split(),
    ]
    return include, [*link, "-rdynamic", f"-Wl,-rpath,{folder}", "-Wl,-rpath,$ORIGIN/lib"]


def link(target: Target, out: Path, host: Path | None) -> None:
    """Make the program of a target. `host`: the one with Python, which is the same for all of its targets."""
    program = out / target.name
    if not target.is_c:
        assert host is not None
        program.unlink(missing_ok=True)
        try:
            os.link(host, program)
        except OSError:
            shutil.copy(host, program)
        return
    clang = compiler()
    renamed = "-DLLVMFuzzerTestOneInput=target_input"
    parts = []
    host_flags = ["-O1", "-g", "-DTARGET_IN_C", f"-DTARGET_STEPS={target.steps}"]
    for source, more in ((target.source, [*flags(), renamed]), (HERE / "host.c", host_flags)):
        parts.append(out / f"{target.name}-{source.stem}.o")
        subprocess.run([clang, "-std=gnu11", *more, "-c", str(source), "-o", str(parts[-1])], check=True)
    driver = os.environ.get("FUZZ_CXX", clang)
    subprocess.run([driver, *engine(), *map(str, parts), "-lpthread", "-o", str(program)], check=True)
    for part in parts:
        part.unlink()


def link_host(out: Path) -> Path:
    """Make the program with Python."""
    include, libraries = python_flags()
    part, program = out / "host.o", out / "host"
    subprocess.run(
        [compiler(), "-std=gnu11", "-O1", "-g", *include, "-c", str(HERE / "host.c"), "-o", str(part)], check=True
    )
    driver = os.environ.get("FUZZ_CXX", compiler())
    subprocess.run([driver, *engine(), str(part), *libraries, "-o", str(program)], check=True)
    part.unlink()
    return program


def build(out: Path, names: list[str]) -> None:
    """Build modules and programs. Raises NoClang, CalledProcessError."""
    out.mkdir(parents=True, exist_ok=True)
    chosen = [TARGETS[name] for name in names] if names else list(ROWS)
    host = None
    if any(not target.is_c for target in chosen):
        compile_modules()
        host = link_host(out)
    for target in chosen:
        link(target, out, host)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "fuzz-programs")
    parser.add_argument("names", nargs="*", help="targets; all if none is named")
    chosen = parser.parse_args()
    try:
        build(chosen.out, chosen.names)
    except NoClang as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
