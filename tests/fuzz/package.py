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
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

from tests.fuzz.targets import ROOT, ROWS, Target, write_seeds

SOURCES: Final = ("ext", "engine", "server", "tests")
LEFT_OUT: Final = shutil.ignore_patterns(
    "__pycache__", "*.pyx", "*.c", "*.js", "*.png", "out", "ensurepip", "idlelib", "tkinter", "test", "config-*"
)


def interpreter(out: Path) -> Path:
    """Copy the standard library and the shared library of the interpreter; return the folder for packages."""
    variables = sysconfig.get_config_vars()
    library = out / "lib" / f"python{variables['py_version_short']}"
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=LEFT_OUT, dirs_exist_ok=True)
    if variables["Py_ENABLE_SHARED"]:
        for found in Path(variables["LIBDIR"]).glob(f"libpython{variables['LDVERSION']}.so*"):
            shutil.copy(found, out / "lib")
    packages = library / "site-packages"
    packages.mkdir(exist_ok=True)
    return packages


def copy_packages(names: set[str], to: Path) -> None:
    """Copy installed packages, the libraries that came with them, and what each says of itself: some read their version there."""
    known = packages_distributions()
    projects = {project.replace("-", "_").lower() for name in names for project in known.get(name.split(".")[0], ())}
    libraries = {f"{project}.libs" for project in projects}
    for folder in {Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("platlib"))}:
        about = {path.name for path in folder.glob("*.dist-info") if path.name.split("-")[0].lower() in projects}
        for found in [path for path in folder.iterdir() if path.name in names | libraries | about]:
            if found.is_dir():
                shutil.copytree(found, to / found.name, ignore=LEFT_OUT, dirs_exist_ok=True)
            else:
                shutil.copy(found, to)


def sources(out: Path) -> None:
    """Copy the sources and the compiled modules."""
    for name in SOURCES:
        shutil.copytree(ROOT / name, out / "serendip" / name, ignore=LEFT_OUT, dirs_exist_ok=True)


def beside(target: Target, out: Path) -> set[str]:
    """Write seeds, dictionary and options of one target; return the packages that it needs."""
    needed: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        seeds = Path(folder) / "seeds"
        if target.is_c:
            write_seeds(target, seeds)
        else:
            here = {
                "FUZZ_PYTHON": sys.executable,
                "PYTHONPATH": str(ROOT),
                "FUZZ_SEEDS": str(seeds),
                "ASAN_OPTIONS": "detect_leaks=0",
            }
            subprocess.run([out / target.name], env={**os.environ, **here}, check=True)
            needed = set((Path(folder) / f"{target.name}.packages").read_text().split())
        with zipfile.ZipFile(out / f"{target.name}_seed_corpus.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            for file in sorted(seeds.iterdir()):
                packed.write(file, file.name)
        options = f"[libfuzzer]\nmax_len = {target.size}\nlen_control = 0\ndetect_leaks = 0\n"
        written = Path(folder) / f"{target.name}.dict"
        if written.exists():
            shutil.copy(written, out)
            options += f"dict = {target.name}.dict\n"
        (out / f"{target.name}.options").write_text(options + "\n[asan]\ndetect_leaks = 0\n")
    return needed


def main() -> int:
    """Run the command line."""
    out = Path(sys.argv[1]).resolve()
    packages = interpreter(out)
    sources(out)
    needed = {name for target in ROWS for name in beside(target, out)}
    copy_packages(needed, packages)
    (out / "host").unlink(missing_ok=True)  # every target has it under its own name
    print(f"{len(ROWS)} targets, {len(needed)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
