"""The compiled extensions, and nothing else: everything declarative stands in pyproject.toml."""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("SERENDIP_BUILD", "") in {"debug", "asan"}
ASAN = os.environ.get("SERENDIP_BUILD", "") == "asan"
FLAGS = ["-O1", "-g", "-DSERENDIP_DEBUG"] if DEBUG else ["-O3", "-g0", "-fno-plt"]
LINK: list[str] = []
COVER = os.environ.get("SERENDIP_BUILD", "") == "cover"
if ASAN:
    FLAGS += ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    LINK += ["-fsanitize=address,undefined"]
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
        depends=[str(header) for folder in ("", "c/") for header in path.parent.glob(f"{folder}*.h")],
        define_macros=[("SERENDIP_DEBUG", "1")] if DEBUG else [],  # assertions, ext/net/check.h
        extra_compile_args=FLAGS,
        extra_link_args=LINK,
        include_dirs=["ext/match", "ext/net"],
    )
    for path in sorted(Path("ext").rglob("*.pyx"))
]
setup(
    ext_modules=cythonize(
        extensions, compiler_directives=DIRECTIVES, annotate=bool(os.environ.get("SERENDIP_ANNOTATE")), nthreads=2
    )
)
