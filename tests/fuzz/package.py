"""Pack fuzz programs for a machine without this tree: interpreter, packages and sources beside them, seeds, dictionaries and options.

    python -m tests.fuzz.package OUT

OUT has the programs (`build.py --out OUT`). It is the layout that OSS-Fuzz and ClusterFuzzLite run.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from tests.fuzz.targets import ROOT, ROWS, Target, write_seeds

SOURCES: Final = ("ext", "engine", "server", "tests")
LEFT_OUT: Final = shutil.ignore_patterns(
    "__pycache__", "*.pyx", "*.c", "*.js", "*.png", "out", "ensurepip", "idlelib", "tkinter", "test", "config-*"
)


def interpreter(out: Path) -> None:
    """Copy the standard library, the installed packages, and the shared library of the interpreter."""
    variables = sysconfig.get_config_vars()
    library = out / "lib" / f"python{variables['py_version_short']}"
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=LEFT_OUT, dirs_exist_ok=True)
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        shutil.copytree(folder, library / "site-packages", ignore=LEFT_OUT, dirs_exist_ok=True)
    if variables["Py_ENABLE_SHARED"]:
        for found in Path(variables["LIBDIR"]).glob(f"libpython{variables['LDVERSION']}.so*"):
            shutil.copy(found, out / "lib")


def sources(out: Path) -> None:
    """Copy the sources and the compiled modules."""
    for name in SOURCES:
        shutil.copytree(ROOT / name, out / "serendip" / name, ignore=LEFT_OUT, dirs_exist_ok=True)


def beside(target: Target, out: Path) -> None:
    """Write seeds, dictionary and options of one target, with its program where it needs one."""
    with tempfile.TemporaryDirectory() as folder:
        seeds = Path(folder) / "seeds"
        if target.is_c:
            write_seeds(target, seeds)
        else:
            without = {name: value for name, value in os.environ.items() if not name.startswith(("FUZZ_", "PYTHON"))}
            subprocess.run(
                [out / target.name],
                env={**without, "FUZZ_SEEDS": str(seeds), "ASAN_OPTIONS": "detect_leaks=0"},
                check=True,
            )
        with zipfile.ZipFile(out / f"{target.name}_seed_corpus.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            for file in sorted(seeds.iterdir()):
                packed.write(file, file.name)
        options = f"[libfuzzer]\nmax_len = {target.size}\nlen_control = 0\ndetect_leaks = 0\n"
        written = Path(folder) / f"{target.name}.dict"
        if written.exists():
            shutil.copy(written, out)
            options += f"dict = {target.name}.dict\n"
        (out / f"{target.name}.options").write_text(options + "\n[asan]\ndetect_leaks = 0\n")


def main() -> int:
    """Run the command line."""
    out = Path(sys.argv[1]).resolve()
    interpreter(out)
    sources(out)
    for target in ROWS:
        beside(target, out)
    (out / "host").unlink(missing_ok=True)  # every target has it under its own name
    print(f"{len(ROWS)} targets")
    return 0


if __name__ == "__main__":
    sys.exit(main())
