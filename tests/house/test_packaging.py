"""Check tracked files, requirements, locks and links: no path of a machine, every module states its rule, every link has a target."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.house.sources import HOMES, PRODUCT, ROOT, read, shown, sources_of, tracked

MACHINE_PATH = re.compile(r"/(?:root|work|farm|home/[a-z]+|tmp/[a-z]+)/")


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
        f"{shown(source)}:{number}"
        for source in text
        for number, line in enumerate(source.read_text(errors="replace").splitlines(), 1)
        if MACHINE_PATH.search(line) and source != Path(__file__).resolve()
    ]
    assert not hits


def test_every_module_opens_with_its_rule() -> None:
    silent = [shown(source) for package in PRODUCT for source in sources_of(package, ".py") if not read(source).opens]
    assert not silent


def named(requirement: str) -> str:
    """Return the package of a requirement, as locks spell it."""
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-").replace(".", "-")


def test_every_package_is_locked_with_hashes_and_no_lock_names_a_host() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    # environments of their own
    apart = {tool: {named(one) for one in project["optional-dependencies"].pop(tool)} for tool in ("site", "audit")}
    extras = [requirement for extra in project["optional-dependencies"].values() for requirement in extra]
    wanted = {named(requirement) for requirement in [*project["dependencies"], *extras]} - {"serendip"}
    lock = (ROOT / "requirements" / "all.lock").read_text()
    pinned = dict(re.findall(r"^([a-z0-9-]+)==.*?\\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", lock, re.M))
    assert wanted - set(pinned) == set(), "run: make lock"
    assert "://" not in lock
    for tool, needed in apart.items():
        part_of_it = (ROOT / "requirements" / f"{tool}.lock").read_text()
        assert needed <= set(re.findall(r"^([a-z0-9-]+)==.*?\\\n    --hash=sha256:", part_of_it, re.M)), (
            "run: make lock"
        )
        assert "://" not in part_of_it
    optional = project["optional-dependencies"]
    served = {named(requirement) for requirement in [*project["dependencies"], *optional["postgres"]]}
    looked = served | {named(requirement) for requirement in optional["moderation"]}
    for name, needed in (
        ("serve", served),
        ("moderation", looked),
        ("build", {"setuptools", "cython", "babel", "jinja2"}),
    ):
        part = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements" / f"{name}.lock").read_text(), re.M))
        assert needed <= set(part), "run: make lock"
        assert part.items() <= dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.M)).items(), "run: make lock"


def test_every_package_of_the_house_is_listed_by_hand() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    folders = {
        ".".join(source.parent.relative_to(ROOT).parts)
        for package in set(PRODUCT) - set(HOMES)
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
    code = "import sys, server.main.single_process_server; print(*sorted({'sqlalchemy', 'alembic', 'obstore'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
