"""Tell which packages have a licence that this project does not take. `.ci/sbom.py` reads the licences, of which it publishes a list."""

import re
import runpy
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Licences that let Apache-2.0 software use and ship what is under them. MPL-2.0 and OFL-1.1 hold for the files that are under them.
ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU"),
        *("MPL-2.0", "OFL-1.1", "PSF-2.0", "ZPL-2.1", "Zlib"),
    }
)
BILL: dict[str, Any] = runpy.run_path(str(ROOT / ".ci/sbom.py"))


def is_allowed(expression: str) -> bool:
    """Whether all licences of an SPDX expression are allowed, or one of those that it offers."""
    every = [part.strip("() ").split(" OR ") for part in expression.split(" AND ")]
    return all(any(one in ALLOWED for one in offered) for offered in every)


def refused(packages: Iterable[tuple[str, Distribution]]) -> dict[str, str]:
    """Return the licences that are not allowed, by package; "" is one that its metadata do not tell."""
    told = {name: BILL["licence"](name, package) for name, package in packages}
    return {name: terms for name, terms in told.items() if not is_allowed(terms)}


def rows(lock: str) -> set[str]:
    """Return the packages of a lock."""
    return set(re.findall(r"^([a-z0-9-]+)==", (ROOT / f"requirements/{lock}.lock").read_text(), re.M))


def of_tool(name: str) -> list[tuple[str, Distribution]]:
    """Return the packages of a tool with an environment of its own, `build/NAME-tools`, which must be there."""
    (folder,) = (ROOT / f"build/{name}-tools/lib").glob("python*/site-packages")
    found = [(re.sub(r"[-_.]+", "-", one.name).lower(), one) for one in distributions(path=[str(folder)])]
    locked = rows(name)
    return [(package, one) for package, one in found if package in locked]  # pip comes from elsewhere
