"""Find the functions of a target for the program that embeds this interpreter (`host.c`), and report each line that runs to it.

Lines are reported by `sys.monitoring`, which Python 3.11 does not have: there compiled modules alone guide the search.
"""

import gc
import os
import sys
from pathlib import Path
from typing import Any

import fuzz_host  # type: ignore[import-not-found]  # a module of the program itself

from tests.fuzz.targets import TARGETS, Target, module_of, write_seeds

TOOL = 3  # neither a debugger, nor coverage, a profiler or an optimiser


def find(name: str) -> tuple[Any, Any, Any, Any, int]:
    """Return entry, oracle, capsule of an entry in C, what tells the interpreter to report a line no more, and the bound of steps; None for what
    there is not.

    With FUZZ_SEEDS in the environment write the seeds to that folder instead, and end: only here modules can be imported that clang compiled.
    """
    target = TARGETS[name]
    if folder := os.environ.get("FUZZ_SEEDS"):
        write_seeds(target, Path(folder))
        _found(target)
        (Path(folder).parent / f"{name}.packages").write_text("\n".join(packages()))
        sys.stdout.flush()
        os._exit(0)
    return _found(target)


def packages() -> list[str]:
    """Return the installed packages and modules that are imported, by their name in `site-packages`."""
    files = [getattr(module, "__file__", None) or "" for module in [*sys.modules.values()]]
    return sorted({file.split("-packages/", 1)[1].split("/")[0] for file in files if "-packages/" in file})


def _found(target: Target) -> tuple[Any, Any, Any, Any, int]:
    module = module_of(target)
    quick = getattr(module, "enter", None)
    native = None
    if target.native:
        from tests.fuzz import native_entries  # type: ignore[attr-defined]  # compiled by `build.py` alone

        native = native_entries.__pyx_capi__[target.native]
    for data in (b"", b"\0" * 40, *getattr(module, "seeds", list)()):
        module.fuzz(data)  # what is made at the first call is made now
    watched = _watch()
    gc.collect()
    gc.freeze()
    return quick or module.fuzz, module.fuzz if quick or native else None, native, watched, target.steps


def _watch() -> Any:
    """Report lines from now on; return what stops that for one line."""
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return None
    monitoring.use_tool_id(TOOL, "fuzz")
    monitoring.register_callback(TOOL, monitoring.events.LINE, fuzz_host.on_line)
    monitoring.set_events(TOOL, monitoring.events.LINE)
    return monitoring.DISABLE
