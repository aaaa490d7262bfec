"""The compiled extensions, the commit of a package, what it would make at each start: everything declarative stands in pyproject.toml."""

import gc
import os
import runpy
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

DEBUG = os.environ.get("SERENDIP_BUILD", "") in {"debug", "asan", "fuzz"}
ASAN = os.environ.get("SERENDIP_BUILD", "") == "asan"
FUZZ = os.environ.get("SERENDIP_BUILD", "") == "fuzz"
# Python's own flags include -Wall, which finds nothing useful in generated C and takes a sixth of the time. `make lint` uses it for hand-written C.
QUIET = ["-Wno-all", "-Wno-sign-compare"]
FLAGS = ["-O1", "-g", "-DSERENDIP_DEBUG"] if DEBUG else ["-O3", "-g0", "-fno-plt", *QUIET]
# What is compiled as it stands does little but call into CPython, which -O3 makes no quicker, and compiles in twice the time. Beside it a chat in a
# worker takes 0.4 % more instructions, one in the hub 0.3 % fewer, and a migration 3 % more to 2 % fewer.
PLAIN_FLAGS = ["-O1", "-g0", "-fno-plt", *QUIET, "-Werror=incompatible-pointer-types"]
# Passes of gcc that find nothing in such code, and take a tenth of that time. No other compiler has these options.
PASSES = ["-fno-tree-pta", "-fno-tree-sra", "-fno-tree-dse", "-fno-dse", "-fno-tree-bit-ccp"]
# What such a module does as it is imported runs once, and is long: it is not optimised. In ext this changes what gcc inlines: a screened line takes
# 1 to 2 % more.
PASSES.append('-DCYTHON_SMALL_CODE=__attribute__((cold, optimize("O0")))')
# CPython 3.12 and 3.13 count the changes of a dict as 3.11 does, so a name of a module is looked up once; Cython takes them for 3.14, which does not.
if (3, 12) <= sys.version_info < (3, 14):
    PLAIN_FLAGS += ["-DCYTHON_USE_DICT_VERSIONS=1", "-Wno-deprecated-declarations"]
# What runs less than once in a chat is compiled for a short build: by a third, for a tenth more instructions.
SELDOM = (
    "engine/chats/camera_checks",
    "engine/chats/detection_handler",
    "engine/conduct/daily_detections",
    "server/fleet/migrate/upgrade_target",
    "server/trust/screening/phrase_graph",
)
LINK: list[str] = []
COVER = os.environ.get("SERENDIP_BUILD", "") == "cover"
if ASAN:
    FLAGS += ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    LINK += ["-fsanitize=address,undefined"]
if FUZZ:  # tests/fuzz/build.py chooses the compiler and what it instruments
    FLAGS = os.environ["SERENDIP_FLAGS"].split()
if COVER:  # every line calls the tracer, also where the GIL is not held
    FLAGS = ["-O1", "-g0", "-DCYTHON_TRACE=1", "-DCYTHON_TRACE_NOGIL=1", "-DCYTHON_USE_SYS_MONITORING=0"]

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": DEBUG,
    "auto_pickle": False,
    "autotestdict": False,
    "linetrace": COVER,
}

extensions = [
    Extension(
        ".".join(path.with_suffix("").parts),
        [str(path)],
        depends=[
            str(header)
            for header in sorted(
                {*path.parent.glob("**/*.h"), *Path("ext/net").glob("*.h"), *Path("ext/base").glob("*.h")}
            )
        ],
        define_macros=[("SERENDIP_DEBUG", "1")] if DEBUG else [],  # assertions, ext/base/check.h
        extra_compile_args=FLAGS,
        extra_link_args=LINK,
        include_dirs=["ext/match", "ext/net", "ext/base"],
    )
    for path in sorted([*Path("ext").rglob("*.pyx"), *(Path("tests/fuzz").glob("*.pyx") if FUZZ else ())])
]
# What Cython adds to every module that needs it (memory views, its functions, errors) is compiled once, in this one, and imported by the others.
# Builds that follow each line, for coverage or fuzzing, keep it in each module: their tools know no other place.
UTILITIES = "ext.base.cython_utilities"
if not (COVER or FUZZ):
    extensions.append(
        Extension(
            UTILITIES,
            [f"{UTILITIES.replace('.', '/')}.c"],
            extra_compile_args=[*FLAGS, "-O1"],
            extra_link_args=LINK,
        )
    )
sys.path.insert(0, str(Path(__file__).parent))
from ext.compiled_module_switch import FOLDERS  # noqa: E402
from ext.pxd_check import differences  # noqa: E402 - a build is run from anywhere
from server.http.words import templates  # noqa: E402
from server.http.words.po_files import compile_into  # noqa: E402

# Modules in plain Python with a .pxd beside them are compiled as they stand, and mean the same; builds that look into ext run them interpreted.
PLAIN = {"language_level": 3, "annotation_typing": False, "auto_pickle": False, "autotestdict": False}
plain = [
    Extension(
        ".".join(path.with_suffix("").parts),
        [str(path.with_suffix(".py"))],
        extra_compile_args=[*PLAIN_FLAGS, *(["-Og"] if path.as_posix().startswith(SELDOM) else [])],
        include_dirs=["ext/match", "ext/net", "ext/base"],
    )
    for folder in FOLDERS
    for path in sorted(Path(folder).rglob("*.pxd"))
    if not DEBUG and not COVER
]
if wrong := [line for module in plain for line in differences(Path(module.sources[0]).with_suffix(".pxd"))]:
    sys.exit("\n".join(wrong))


PACKAGES = ("ext", "engine", "server")
SHIP_RULES = "from server.trust.screening.rule_cache import ship; ship()"


def stamp(tree: str) -> None:
    """Write into a tree what server/ops/version.py says of this one."""
    version = runpy.run_path("server/ops/version.py")
    Path(tree, "server", version["PACKED"]).write_text(version["own"]() + "\n", "utf-8")


def copy_client(folder: Path) -> None:
    """Copy the JavaScript client, which the page is made of too, into a tree."""
    shutil.copytree("client/js", folder, ignore=shutil.ignore_patterns("node_modules"), dirs_exist_ok=True)


def prepare(tree: str) -> None:
    """Write into a tree what a server would make of this one's catalogues and templates at each start."""
    compile_into(Path(tree, "server/http/words/locale"))
    for folder in templates.FOLDERS:
        templates.compile_into(Path(tree, "server", folder), templates.SERVER / folder)


def ship(tree: str) -> None:
    """Copy the manual, the alert rules and the examples into the package that reads them; an sdist brings its own copy."""
    files = runpy.run_path("server/ops/manual/manual_files.py")
    for pattern in files["PATTERNS"]:
        for source in sorted(Path().glob(pattern)):
            if source.is_file() and not source.name.startswith("."):  # deploy/.env is the operator's
                target = Path(tree, "server/ops/manual/shipped", source)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())


def is_made(file: str) -> bool:
    """Whether a build writes this file: Cython's C, catalogues and templates as they are read; an sdist has their sources."""
    path = Path(file)
    return path.name in ("compiled.json", "compiled.bin") or (path.suffix == ".c" and path.parts[0] in PACKAGES)


def translate(modules: list[Extension]) -> None:
    """Write the C of modules beside their sources. A build does it, and an sdist does not: it has the sources alone."""
    # Syntax trees live until their module is done: looking through them took an eighth of Cython's time.
    gc.set_threshold(100_000, 50, 1_000)
    options = {"annotate": bool(os.environ.get("SERENDIP_ANNOTATE")), "nthreads": 2}
    if not (COVER or FUZZ):
        options["shared_utility_qualified_name"] = UTILITIES
    for directives in (DIRECTIVES, PLAIN):
        group = [module for module in modules if (module in plain) is (directives is PLAIN)]
        made = {one.name: one for one in cythonize(group, compiler_directives=directives, **options)}
        for module in group:
            vars(module).update(vars(made[module.name]))


class InPlace(build_ext):
    """What a checkout runs."""

    def finalize_options(self) -> None:
        """An install to be edited takes what `build_ext --inplace` compiled; by itself it would compile all again, in a folder that goes."""
        if self.editable_mode:
            usual = build(self.distribution)
            usual.ensure_finalized()
            self.build_lib, self.build_temp = usual.build_platlib, usual.build_temp
        super().finalize_options()

    def run(self) -> None:
        """Compile, and prepare what is no module."""
        translate(self.extensions)
        if os.environ.get("SERENDIP_ANNOTATE"):
            return  # the pages are wanted alone
        self._done = count(1)
        super().run()
        if self.inplace and Path("server").is_dir():  # a copy of ext/ alone has none (`python -m bench instructions`)
            prepare(".")
            self._delete_orphans()
            if not DEBUG and not COVER:
                # In a process of its own: this one imported modules before they were compiled.
                subprocess.run([sys.executable, "-c", SHIP_RULES], check=True)  # noqa: S603 - this interpreter, fixed code

    def _delete_orphans(self) -> None:
        """Delete what was compiled from a module that moved or is plain Python now: Python would import it in place of the source."""
        compiled = {Path(self.get_ext_fullpath(one.name)).resolve() for one in self.extensions}
        suffix = self.get_ext_filename("x").removeprefix("x")
        for found in (path for folder in PACKAGES for path in Path(folder).rglob(f"*{suffix}")):
            if found.resolve() not in compiled and not DEBUG and not COVER:
                found.unlink()
                found.with_name(found.name.removesuffix(suffix) + ".c").unlink(missing_ok=True)

    def build_extensions(self) -> None:
        """Compile all, by gcc without PASSES."""
        command = [*self.compiler.compiler, "--version"]
        if "Free Software Foundation" in subprocess.run(command, check=True, capture_output=True, text=True).stdout:  # noqa: S603 - the compiler
            for module in plain:
                module.extra_compile_args[:0] = PASSES
        super().build_extensions()

    def build_extension(self, ext: Extension) -> None:
        """Compile one where it has to be, and say so: all of them take minutes."""
        made = Path(self.get_ext_fullpath(ext.name))
        before = made.stat().st_mtime_ns if made.exists() else 0
        super().build_extension(ext)
        done = next(self._done)
        if made.stat().st_mtime_ns != before:
            print(f"[{done}/{len(self.extensions)}] Compiled {ext.name}", flush=True)  # noqa: T201 - for who builds


class Packed(build_py):
    """What a wheel holds; a checkout that is installed to be edited asks git each time."""

    def run(self) -> None:
        """Copy, and add the commit and what is prepared."""
        super().run()
        if not self.editable_mode:
            stamp(self.build_lib)
            prepare(self.build_lib)
            ship(self.build_lib)
            copy_client(Path(self.build_lib, "server/site/client"))


class Source(sdist):
    """What an sdist holds."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copy what no build made, and add the commit."""
        super().make_release_tree(base_dir, [file for file in files if not is_made(file)])
        stamp(base_dir)
        ship(base_dir)
        copy_client(Path(base_dir, "client/js"))


setup(ext_modules=[*extensions, *plain], cmdclass={"build_ext": InPlace, "build_py": Packed, "sdist": Source})
