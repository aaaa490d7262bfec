"""Read the sources for the checks of this folder: which files exist, what each imports, how long its functions are.

**Invariant:** text and syntax only; no module of the project is imported or run. A Python source is parsed and walked once for all checks
(`read`), which run in one process (tests/support/groups.py).
"""

import ast
import functools
import posixpath
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
# The client is a distribution of its own, in its own folder.
HOMES = {"serendip_client": "client"}
PRODUCT = ("ext", "engine", "server", "serendip_client")
OURS = (*PRODUCT, "bench", "grafana")
CYTHON = (".pyx", ".pxd")
# "server.main.single_process_server:run" and "server.main.commands.database_commands:app" are imports like statements
DOTTED = re.compile(rf"(?:{'|'.join(OURS)})(?:\.\w+)+(?::\w+)?").fullmatch


class Function(NamedTuple):
    """A function of a source: its first line, its number of lines and of branches (0 if branches are not counted)."""

    file: str
    name: str
    line: int
    lines: int
    branches: int


def tracked(*patterns: str) -> list[Path]:
    """Return the files that git tracks or would add (untracked and not ignored)."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    return sorted({ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()})


def sources_of(package: str, *suffixes: str) -> list[Path]:
    """Return the sources of a package, whichever folder it is in."""
    folder = f"{HOMES[package]}/{package}" if package in HOMES else package
    return tracked(*(f"{folder}/*{suffix}" for suffix in suffixes))


def shown(source: Path) -> str:
    """Return a path as it is written in lists and messages."""
    return source.relative_to(ROOT).as_posix()


def module_of(source: Path) -> str:
    """Return the dotted name of a source: `engine/core/chat.py` is `engine.core.chat`, `server/http/request/__init__.py` is `server.http.request`."""
    parts = source.relative_to(ROOT).with_suffix("").parts
    if len(parts) > 1 and HOMES.get(parts[1]) == parts[0]:
        parts = parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(packages: Iterable[str] = OURS) -> dict[str, list[Path]]:
    """Return sources by module; a compiled module has a .pyx and a .pxd, or a .pxd alone."""
    found: dict[str, list[Path]] = {}
    for package in packages:
        for source in sources_of(package, ".py", ".pyx", ".pxd"):
            if "peers" not in source.parts:
                found.setdefault(module_of(source), []).append(source)
    return found


def imports(source: Path, known: Iterable[str]) -> set[str]:
    """Return the modules of `known` that a source imports: by `import`, `cimport`, or a string that names one."""
    known = set(known)
    named = _cython_names(source.read_text()) if source.suffix in CYTHON else read(source).imported
    found = {near for name in named if (near := _nearest(name, known))}
    return found - {module_of(source)}


def _nearest(name: str, known: set[str]) -> str | None:
    """Return the module that contains a dotted name: for `engine.core.chat.Seat`, `engine.core.chat`."""
    while name:
        if name in known:
            return name
        name = name.rpartition(".")[0]
    return None


def _cython_names(text: str) -> Iterator[str]:
    for package, names in re.findall(r"^\s*from\s+([\w.]+)\s+c?import\s+(\([^)]*\)|[^\n#]+)", text, re.M):
        for name in re.findall(r"[\w*]+", names):
            yield f"{package}.{name}"
    yield from re.findall(r"^\s*c?import\s+([\w.]+)", text, re.M)


# As a browser reads them: `import … from "./a.js"`, `export … from`, `import "./a.js"`, and `import("./a.js")` for later.
_OF_PAGE = re.compile(r"""(?:^(?:import|export)\b[^;"']*?|\bimport\()["'](\.{1,2}/[^"']+)["']""", re.M)


def page_modules(folder: str = "server/site/web") -> dict[str, set[str]]:
    """Return the page's modules, each with the modules that it imports at once or later, by their paths in `folder`."""
    home = ROOT / folder
    found = {source.relative_to(home).as_posix(): source for source in tracked(f"{folder}/*.js", f"{folder}/*.mjs")}
    return {name: page_imports(name, source.read_text()) & found.keys() for name, source in found.items()}


def page_imports(name: str, text: str) -> set[str]:
    """Return the paths that the module `name` imports, statically or not."""
    return {posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in _OF_PAGE.findall(text)}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components of more than one node, each sorted (Tarjan 1972, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            component = stack[at:]
            del stack[at:]
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def functions(source: Path) -> Iterator[Function]:
    """Iterate over the functions of a .py, .pyx or C source, those inside classes and functions included."""
    if source.suffix == ".py":
        yield from read(source).functions
    elif source.suffix == ".pyx":
        yield from _cython_functions(source)
    elif source.suffix in (".h", ".c"):
        yield from _c_functions(source)


class Read(NamedTuple):
    """Contents of a Python source.

    `opens`: whether it has a docstring; `imported`: dotted names, by statements and by strings that name a module of the project; `uses`:
    names after a dot, bare, or imported; `packages`: the first part of each imported module.
    """

    opens: bool
    imported: frozenset[str]
    uses: frozenset[str]
    packages: frozenset[str]
    functions: tuple[Function, ...]


@functools.cache
def read(source: Path) -> Read:
    """Read a source that does not change while the checks run."""
    return read_text(source.read_text(), shown(source))


def read_text(text: str, file: str = "") -> Read:
    """Read a text like the contents of a file."""
    tree, walk = ast.parse(text), _Walk(file)
    walk.enter(tree)
    return Read(
        bool(ast.get_docstring(tree)),
        frozenset(walk.imported),
        frozenset(walk.uses),
        frozenset(walk.packages),
        tuple(sorted(walk.functions, key=lambda function: function.line)),
    )


_BRANCHES = frozenset(
    (
        ast.If,
        ast.For,
        ast.AsyncFor,
        ast.While,
        ast.IfExp,
        ast.ExceptHandler,
        ast.BoolOp,
        ast.comprehension,
        ast.match_case,
    )
)
_NO_NODES = {"ctx", "id", "attr", "op", "ops", "kind", "type_comment", "names", "module", "level"}
_LOOKED_AT = {ast.Name, ast.Attribute, ast.Constant, ast.Import, ast.ImportFrom}


@functools.cache
def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """Return the fields of a kind of node that may contain nodes which are not visited with it."""
    if kind is ast.Constant:
        return ()
    return tuple(name for name in kind._fields if name not in _NO_NODES)


class _Walk:
    """One walk through a tree for all results: separate walks with `ast.walk` took seconds."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.imported: set[str] = set()
        self.uses: set[str] = set()
        self.packages: set[str] = set()
        self.functions: list[Function] = []

    def enter(self, node: ast.AST) -> int:
        """Visit a node and all in it; return the number of branches."""
        kind = node.__class__
        if kind in _LOOKED_AT:
            self._look(node)
        branches = int(kind in _BRANCHES)
        for name in _fields(kind):
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                branches += self.enter(value)
            elif value.__class__ is list:
                for part in value:
                    if isinstance(part, ast.AST):
                        branches += self.enter(part)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            self.functions.append(Function(self._file, node.name, node.lineno, lines, branches))
        return branches

    def _look(self, node: ast.AST) -> None:
        match node:
            case ast.Name():
                self.uses.add(node.id)
            case ast.Attribute():
                self.uses.add(node.attr)
            case ast.Constant(value=str() as said):
                if "." in said and DOTTED(said):
                    self.imported.add(said.replace(":", "."))
            case ast.Import():
                self.imported.update(alias.name for alias in node.names)
                self.packages.update(alias.name.split(".")[0] for alias in node.names)
            case ast.ImportFrom():
                self.uses.update(alias.name for alias in node.names)
                self.packages.add((node.module or "").split(".")[0])
                if node.module:
                    self.imported.update(f"{node.module}.{alias.name}" for alias in node.names)


def _cython_functions(source: Path) -> Iterator[Function]:
    lines = source.read_text().split("\n")
    for at, line in enumerate(lines):
        opening = re.match(r"(\s*)(?:async )?(?:def|cdef|cpdef)\b[^=]*?\b(\w+)\(", line)
        if opening is None or re.match(r"\s*cdef class\b", line):
            continue
        indent, end, last = len(opening[1]), at + 1, at
        while end < len(lines) and (
            not lines[end].strip() or _indent(lines[end]) > indent or lines[end].strip()[0] in ")]"
        ):
            last = end if lines[end].strip() else last
            end += 1
        if last > at:
            body = lines[at + 1 : last + 1]
            branches = sum(bool(re.match(r"\s*(?:if|elif|for|while|except)\b", inner)) for inner in body)
            yield Function(shown(source), opening[2], at + 1, last - at + 1, branches)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _c_functions(source: Path) -> Iterator[Function]:
    """Find functions of C formatted by clang-format: one begins in the first column and closes with a brace there."""
    text = source.read_text()
    for opening in re.finditer(
        r"^(?![ #}/*]|typedef|struct \w+ \{)[^;{}\n]*?\b((?:F\()?\w+\)?)\([^;{}]*\)\s*\{", text, re.M
    ):
        in_one_line = text[opening.end() :].split("\n", 1)[0].rstrip().endswith("}")
        end = opening.end() if in_one_line else text.find("\n}", opening.end()) + 1
        start = text.count("\n", 0, opening.start()) + 1
        yield Function(shown(source), opening[1], start, text.count("\n", 0, end) + 2 - start, 0)
