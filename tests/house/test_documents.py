"""Check that documents, files and tests named in the code exist, and that each module has its tests at the mirror place.

**Invariant:** `NO_MIRROR` only shrinks: an entry whose test exists now, or whose module is gone, fails.
"""

import re
from pathlib import Path

from server.ops.config.setting_sources import leaves
from server.ops.config.settings import Settings
from server.ops.log import EVENTS
from tests.house.sources import HOMES, PRODUCT, ROOT, shown, sources_of, tracked

CODE = ("*.py", "*.pyx", "*.pxd", "*.pyi", "*.h", "*.c", "*.js", "*.mjs", "Makefile", "*.toml", "*.yml")
PATH = re.compile(
    r"(?<![\w/.-])((?:ext|engine|server|client|bench|tests|grafana|deploy|docs|examples)/[\w/.-]*"
    r"\.(?:pyx|pxd|pyi|py|h|c|js|mjs|md|yml|conf|json))\b"
)
# Output of benches that is not tracked.
MADE = {"bench/results/quick.json"}
NO_MIRROR = ROOT / "tests" / "house" / "no_mirror.txt"
# Documents and files that a command or a test makes, or that belong to another project.
ELSEWHERE = {"page.md", "index.md", "http.md"}


def vendored(source: Path) -> bool:
    """Whether a file belongs to another project, or is a list of results."""
    return "vendor" in source.parts or "results" in source.parts or "peers" in source.parts


def test_every_document_that_a_source_names_exists() -> None:
    there = {source.name for source in tracked("*.md")}
    missing = {
        f"{shown(source)} names {name}"
        for source in tracked(*CODE)
        if not vendored(source) and source != Path(__file__).resolve()
        for name in re.findall(r"\b[\w-]+\.md\b", source.read_text())
        if name not in there | ELSEWHERE
    }
    assert missing == set()


def test_every_file_that_a_document_or_a_source_names_exists() -> None:
    missing = {
        f"{shown(source)} names {name}"
        for source in tracked(*CODE, "*.md")
        if not vendored(source) and "house" not in source.parts
        for name in PATH.findall(source.read_text())
        if not (ROOT / name).exists() and name not in MADE
    }
    assert missing == set()


def test_every_document_is_named_where_a_newcomer_looks() -> None:
    entrance = "\n".join((ROOT / name).read_text() for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"))
    entrance += (ROOT / "docs/operate/README.md").read_text().replace("](", "](docs/operate/")
    unnamed = {shown(page) for page in tracked("docs/*.md") if shown(page) not in entrance}
    assert unnamed == set()


def mirror(source: Path) -> Path:
    """Return the place of a module's tests: for `server/http/request/reactor_handoff.py`, `tests/server/http/request/test_reactor_handoff.py`."""
    inside = source.relative_to(ROOT)
    folder = Path(*(part for part in inside.parent.parts if part not in HOMES))
    return ROOT / "tests" / folder / f"test_{inside.stem}.py"


def without_mirror() -> set[str]:
    """Return the modules without a test file of their name."""
    return {
        shown(source)
        for package in PRODUCT
        for source in sources_of(package, ".py", ".pyx")
        if source.name not in ("__init__.py", "__main__.py")
        and "versions" not in source.relative_to(ROOT).parts
        and not mirror(source).exists()
    }


def test_every_module_has_its_mirror_or_stands_in_the_list() -> None:
    listed = set(NO_MIRROR.read_text().split())
    found = without_mirror()
    assert found - listed == set(), "write a test at the mirror place"
    assert listed - found == set(), "take these from the list"


def test_every_link_between_documents_leads_to_a_page_and_a_heading() -> None:
    headings = {page: set(map(anchor, re.findall(r"(?m)^#+ (.*)$", page.read_text()))) for page in tracked("*.md")}
    wrong = [
        f"{shown(page)}: {target}"
        for page in headings
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text())
        if not target.startswith(("http", "mailto:")) and not leads(page, target, headings)
    ]
    assert wrong == []


def test_every_setting_that_the_manual_names_exists() -> None:
    """Check names like `safety.rta` and SERENDIP_SAFETY__RTA. A secret may also be read from the file that `NAME_file` names."""
    known = {name for name, _ in leaves(Settings())}
    sections = {name.partition(".")[0] for name in known}
    wrong = [
        f"{shown(page)}: {name}"
        for page in [*tracked("docs/operate/*.md"), *tracked("docs/safety.md")]
        for name in settings_named(page.read_text())
        if name.partition(".")[0] in sections and name.removesuffix("_file") not in known | EVENTS.keys()
        if name not in known
    ]
    assert wrong == []


def settings_named(text: str) -> set[str]:
    """Return the settings, and the log events, that a page names."""
    dotted = re.findall(r"`([a-z]+\.[a-z_]+)(?:=[^`]*)?`", text)
    variables = re.findall(r"\bSERENDIP_([A-Z]+)__([A-Z_]*[A-Z])\b", text)
    return {*dotted, *(f"{section}.{name}".lower() for section, name in variables)}


def anchor(heading: str) -> str:
    """Return the address of a heading within its page, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def leads(page: Path, target: str, headings: dict[Path, set[str]]) -> bool:
    """Whether the target of a link of `page` exists: the file, and the heading if it names one."""
    name, _, heading = target.partition("#")
    there = (page.parent / name).resolve() if name else page
    return there.exists() and (not heading or there not in headings or heading in headings[there])
