"""Add to the site what is not in docs/: the README as its first page, the files that documents link to, the HTTP routes, and the page to try.

A hook of MkDocs. A link that leaves docs/ leads to a page of that file's text (`source/…`), so that the site is whole by itself.
"""

import json
import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OWN = ("try.md", "python.md", "assets/try.js", "assets/site.css")
PICTURES = {".png", ".svg"}
LANGUAGES = {
    ".py": "python",
    ".html": "html",
    ".conf": "nginx",
    ".yaml": "yaml",
    ".toml": "toml",
    ".json": "json",
    ".service": "ini",
}
LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
RAW = re.compile(r'((?:src|srcset|href)=")([^":#]+)(")')  # of HTML in Markdown
SERVER = "SITE_SERVER"  # variable: the server that the page to try offers


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""

    def add(name: str, content: str | bytes) -> None:
        files.append(File.generated(config, name, content=content))

    for name in OWN:
        add(name, (HERE / name).read_text())
    add("index.md", (ROOT / "README.md").read_text())
    add("http.md", routes(json.loads((ROOT / "docs/openapi.json").read_text())))
    for name in sorted(linked(ROOT / "docs") | outside("index.md", (ROOT / "README.md").read_text(), "")):
        there = ROOT / name
        if there.suffix in PICTURES:
            add(f"source/{name}", there.read_bytes())
        elif there.is_file():
            add(f"source/{name}.md", shown(name, there.read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links out of docs/ to the pages of those files."""
    name = page.file.src_uri
    if name.startswith("source/"):
        return markdown
    if name == "try.md":
        markdown = markdown.replace(SERVER, os.environ.get(SERVER, ""))
    base = "" if name == "index.md" else "site" if name in OWN else "docs/" + posixpath.dirname(name)

    def led(found: re.Match[str]) -> str:
        before, target, after = found.groups()
        if "://" in target or target.startswith(("mailto:", "/")):
            return found[0]
        path = posixpath.normpath(posixpath.join(base, target))
        if path.startswith("docs/"):
            new = path.removeprefix("docs/")
        elif path == "README.md":
            new = "index.md"
        else:
            new = f"source/{path}" + ("" if Path(path).suffix in PICTURES else ".md")
        return before + posixpath.relpath(new, posixpath.dirname(name) or ".") + after

    linked_pages = LINK.sub(led, markdown)
    return linked_pages if name in OWN else RAW.sub(led, linked_pages)


def outside(name: str, text: str, base: str) -> set[str]:
    """Return the files outside of docs/ that a document links to, by their paths from the root."""
    found = set()
    for _, target, _ in [*LINK.findall(text), *RAW.findall(text)]:
        path = posixpath.normpath(posixpath.join(base, target))
        if (
            "://" not in target
            and not path.startswith(("docs/", "..", "/"))
            and path != "README.md"
            and (ROOT / path).is_file()
        ):
            found.add(path)
    return found


def linked(folder: Path) -> set[str]:
    """Return the files outside of a folder that its documents link to."""
    found: set[str] = set()
    for page in folder.rglob("*.md"):
        found |= outside(page.name, page.read_text(), page.parent.relative_to(ROOT).as_posix())
    return found


def shown(name: str, text: str) -> str:
    """Return the page of a file: a document as it is, anything else as code."""
    if name.endswith(".md"):
        return LINK.sub(lambda found: found[0] if "://" in found[2] else f"{found[1][:-2]}]", text)
    fence = "`" * 6
    return f"# {name}\n\n{fence}{LANGUAGES.get(Path(name).suffix, 'text')}\n{text}\n{fence}\n"


def routes(document: dict[str, Any]) -> str:
    """Return the page of the HTTP routes: a table for each tag."""
    tables: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            if method == "servers":
                continue
            proof = ", ".join(name for need in one.get("security", ()) for name in need) or ""
            cells = (f"`{method.upper()} {path}`", one["summary"].replace("|", "\\|"), f"`{one['operationId']}`", proof)
            tables.setdefault(one["tags"][0], []).append(f"| {' | '.join(cells)} |")
    made = [
        "# HTTP routes",
        "",
        "Every route, from [openapi.json](openapi.json), which has parameters, bodies and answers.",
    ]
    for tag, rows in tables.items():
        made += ["", f"## {tag}", "", "| route | | operation | proof |", "| --- | --- | --- | --- |", *rows]
    return "\n".join(made) + "\n"
