"""The house holds: who may import whom, no path of a machine in a tracked file, every module says its rule."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "ext": {"ext"},
    "engine": {"engine", "ext"},
    "server": {"server", "engine", "ext"},
    "client": {"client"},
}
OURS = {"ext", "engine", "server", "client", "bench", "tests"}
# A sans-IO engine: no socket, clock or randomness of its own.
ENGINE_NEVER = {
    "asyncio",
    "socket",
    "time",
    "random",
    "secrets",
    "threading",
    "aiohttp",
    "uvloop",
    "os",
    "subprocess",
    "logging",
    "structlog",
}
MACHINE_PATH = re.compile(r"/(?:root|work|farm|home/[a-z]+|tmp/[a-z]+)/")


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows, or all files where this is no git checkout."""
    listing = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, check=True, text=True)
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def imported(source: Path) -> set[str]:
    """Top-level names that a Python or Cython file imports."""
    if source.suffix == ".py":
        names: set[str] = set()
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add((node.module or "").split(".")[0] if not node.level else source.relative_to(ROOT).parts[0])
        return names
    return set(re.findall(r"^\s*(?:from|import|cimport)\s+(\w+)", source.read_text(), re.M))


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_point_one_way_only(package: str) -> None:
    wrong = {
        f"{source.relative_to(ROOT)} imports {name}"
        for source in tracked(f"{package}/*.py", f"{package}/*.pyx", f"{package}/*.pxd")
        for name in imported(source) & OURS - MAY_IMPORT[package]
    }
    assert not wrong


def test_the_engine_has_no_socket_clock_or_randomness_of_its_own() -> None:
    wrong = {
        f"{source.relative_to(ROOT)} imports {name}"
        for source in tracked("engine/*.py")
        for name in imported(source) & ENGINE_NEVER
    }
    assert not wrong


def test_no_tracked_file_names_a_path_of_a_machine() -> None:
    text = tracked(
        "*.py",
        "*.pyx",
        "*.pxd",
        "*.pyi",
        "*.h",
        "*.md",
        "*.toml",
        "*.lock",
        "Makefile",
        ".ci/run",
        "deploy",
        "*.json",
        "*.js",
    )
    hits = [
        f"{source.relative_to(ROOT)}:{number}"
        for source in text
        for number, line in enumerate(source.read_text(errors="replace").splitlines(), 1)
        if MACHINE_PATH.search(line) and source != Path(__file__).resolve()
    ]
    assert not hits


def test_every_module_opens_with_its_rule() -> None:
    silent = [
        str(source.relative_to(ROOT))
        for package in MAY_IMPORT
        for source in tracked(f"{package}/*.py")
        if not ast.get_docstring(ast.parse(source.read_text()))
    ]
    assert not silent


def named(requirement: str) -> str:
    """The package of a requirement, as locks spell it."""
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-").replace(".", "-")


def test_every_package_is_locked_with_hashes_and_no_lock_names_a_host() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [requirement for extra in project["optional-dependencies"].values() for requirement in extra]
    wanted = {named(requirement) for requirement in [*project["dependencies"], *extras]} - {"serendip"}
    lock = (ROOT / "requirements" / "all.lock").read_text()
    pinned = dict(re.findall(r"^([a-z0-9-]+)==.*?\\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", lock, re.M))
    assert wanted - set(pinned) == set(), "run: make lock"
    assert "://" not in lock
    assert {named(requirement) for requirement in project["dependencies"]} <= set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / "serve.lock").read_text(), re.M)
    ), "run: make lock"


def test_every_package_of_the_house_is_listed_by_hand() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    folders = {
        ".".join(source.parent.relative_to(ROOT).parts)
        for package in MAY_IMPORT
        for source in tracked(f"{package}/__init__.py", f"{package}/**/__init__.py")
    }
    assert listed == folders


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{document.relative_to(ROOT)} -> {target}"
        for document in tracked("*.md")
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
        if "://" not in target and not target.startswith("mailto:") and not (document.parent / target).exists()
    ]
    assert broken == []


def test_a_server_that_keeps_nothing_loads_no_database() -> None:
    code = "import sys, server.main; print(*sorted({'sqlalchemy', 'alembic', 'obstore'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
