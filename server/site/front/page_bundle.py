"""Bundle the page's JavaScript modules and style sheets into few files: `first.js` for the first screen, `second.js` for later ones.

**Invariant:** the modules behave as they do unbundled, and each exists once. Unsupported syntax (an import cycle, an unknown form of `import`)
raises ValueError at the server's start.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

FIRST: Final = "first.js"  # in app.js's folder, so that relative paths stay valid
SHEET: Final = "style/first.css"
START: Final = "app.js"
# Bundles after the first load: the file, and its modules; their imports are included.
LATER: Final[Mapping[str, Sequence[str]]] = {
    "second.js": (
        "reduce/rest.js",
        "remember.js",
        "views/meanwhile.js",
        "views/chat.js",
        "views/report.js",
        "views/menus.js",
        "views/save.js",
        "back.js",
        "viewport.js",
        "swipe.js",
        "calling.js",
    ),
}
LATER_SHEETS: Final[Mapping[str, Sequence[str]]] = {
    "style/second.css": ("style/chat.css", "style/rest.css", "style/faces.css")
}
_NAMES = r"\{([^{}]*)\}"
_FROM = r"[ \t]*[\"'](\.[^\"']+)[\"'];?"
# `import "./a.js"`, `import a from "./a.js"`, `import {a, b as c} from "./a.js"`, also as a minifier writes them
_IMPORT = re.compile(rf"^import\b[ \t]*(?:(\w+)[ \t]+from|{_NAMES}[ \t]*from|){_FROM}", re.M)
_DECLARED = re.compile(r"^export (const|function|async function|class) (\w+)", re.M)
_LISTED = re.compile(rf"(^|;|\}})export[ \t]*{_NAMES}(?![ \t]*from);?", re.M)
_DEFAULT = re.compile(r"(^|;|\})export default ", re.M)
_LEFT = re.compile(r"^(?:import|export)\b[^(.].*$|^await\b.*$|import\.meta", re.M)
_ASKED = re.compile(r"\bimport\(([\"'])(\.[^\"']+)\1\)")
_STYLED = re.compile(r'(<link rel="stylesheet" href="/s/-/style/[a-z-]+\.css">\n?)+')
_SHEET = re.compile(r'href="/s/-/([^"]+)"')


def bundled(sources: Mapping[str, bytes], later: Mapping[str, Sequence[str]] = LATER) -> dict[str, bytes]:
    """Return `sources` (by name, without comments) with `first.js`, the files of `later` and all changes that follow.

    Raises ValueError for unsupported modules.

    The modules that app.js imports become `first.js`; those of a search, or of the first later screen, become `second.js`. Each module is the body
    of its own function, in the order in which a browser would run them, so that names do not collide. A module outside the bundles imports from
    them, and the address of a bundled module exports the same names.
    """
    files = together(sources, later)
    place = {name: file for file, inside in files.items() for name in inside}
    there = {name: _exports(sources[name].decode()) for name in place}
    _meet(sources, there)
    found = dict(sources)
    for name, body in sources.items():
        if name in place:
            found[name] = _stub(name, place[name], there[name])
        elif name.endswith((".js", ".mjs")):
            found[name] = _taking(name, body.decode(), place).encode()
    for file, inside in files.items():
        found[file] = _one(file, {name: sources[name].decode() for name in inside}, place, there).encode()
    return found | _styled(sources)


def _styled(sources: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the bundled style sheets, and the shell that links the first of them."""
    shell = sources["index.html"].decode()
    styles = [name for run in _STYLED.finditer(shell) for name in _SHEET.findall(run[0])]
    found = {SHEET: b"".join(sources[name] for name in styles)}
    for sheet, names in LATER_SHEETS.items():
        found[sheet] = b"".join(sources[name] for name in names)
    links = f'<link rel="stylesheet" href="/s/-/{SHEET}">\n'
    found["index.html"] = _STYLED.sub(links, shell, count=1).encode()
    return found


def together(sources: Mapping[str, bytes], later: Mapping[str, Sequence[str]] = LATER) -> dict[str, list[str]]:
    """Return the modules of each bundle, by the bundle's name: each module once, after all that it imports."""
    files = {FIRST: first_load(sources)}
    done = {START, *files[FIRST]}
    for file, starts in later.items():
        files[file] = _needed(sources, starts, done)
        done.update(files[file])
    return files


def first_load(sources: Mapping[str, bytes], start: str = START) -> list[str]:
    """Return the modules that `start` imports, directly or not, each after all that it imports; without `start`."""
    return _needed(sources, [start], ())[:-1]


def _needed(sources: Mapping[str, bytes], starts: Sequence[str], known: Collection[str]) -> list[str]:
    """Return `starts` and their imports, each after all that it imports; without those `known`."""
    done: list[str] = []
    open_: list[str] = []

    def visit(name: str) -> None:
        if name in open_:
            raise ValueError(f"modules of the page that import each other: {' → '.join([*open_, name])}")
        if name not in done and name not in known:
            open_.append(name)
            for needed in _imports(name, sources[name].decode()):
                visit(needed)
            done.append(open_.pop())

    for start in starts:
        visit(start)
    return done


def joined(name: str, relative: str) -> str:
    """Resolve the path `relative` in the file `name`, within the folder."""
    steps = name.split("/")[:-1]
    for step in relative.split("/"):
        if step == "..":
            steps.pop()
        elif step != ".":
            steps.append(step)
    return "/".join(steps)


def _id(name: str) -> str:
    """Return the name of a module's exports object in its bundle."""
    return "$" + re.sub(r"\W", "_", name.rpartition(".")[0])


def _up(name: str) -> str:
    """Return the relative path from the folder of the file `name` to the page's."""
    return "../" * name.count("/") or "./"


def _pairs(names: str) -> list[tuple[str, str]]:
    """Parse `a, b as c` into pairs of exported and local name."""
    words = (part.split() for part in names.split(",") if part.strip())
    return [(word[0], word[-1]) for word in words]


def _taken(default: str, names: str, module: str) -> str:
    """Return an import as a statement on the module's exports object; `names` as written in braces."""
    if default:
        return f"const {default} = {module}.default;"
    pairs = ", ".join(there if there == here else f"{there}: {here}" for there, here in _pairs(names))
    return f"const {{ {pairs} }} = {module};" if pairs else ""


def _meet(sources: Mapping[str, bytes], there: Mapping[str, Mapping[str, str]]) -> None:
    """Raise ValueError for an import of a name that its module lacks: in a bundle it would silently be `undefined`."""
    for name, body in sources.items():
        for default, names, relative in _IMPORT.findall(body.decode()) if name.endswith((".js", ".mjs")) else ():
            known = there.get(joined(name, relative))
            wanted = {said for said, _ in _pairs(names)} | ({"default"} if default else set())
            if known is not None and not wanted <= set(known):
                raise ValueError(f"{name} imports what {relative} has not: {', '.join(sorted(wanted - set(known)))}")


# Few modules have these, and searching for a word costs a tenth of matching the pattern, which is a quarter of the start's time.
def _lists(text: str) -> bool:
    return "export{" in text or "export {" in text


def _gives(text: str) -> bool:
    return "export default " in text


def _exports(text: str) -> dict[str, str]:
    """Return a module's exports: local names by exported name."""
    found = {said: said for _, said in _DECLARED.findall(text)}
    if _lists(text):
        for _, names in _LISTED.findall(text):
            found |= {there: here for here, there in _pairs(names)}
    if _gives(text) and _DEFAULT.search(text):
        found["default"] = "$default"
    return found


def _ahead(home: str, wanted: Mapping[str, None], place: Mapping[str, str]) -> str:
    """Return the imports at the start of the file `home` that it needs from other bundles."""
    by_file: dict[str, list[str]] = {}
    for module in wanted:
        by_file.setdefault(place[module], []).append(_id(module))
    return "".join(f'import {{ {", ".join(names)} }} from "{_up(home)}{file}";\n' for file, names in by_file.items())


def _asking(name: str, home: str, text: str, place: Mapping[str, str]) -> str:
    """Return the text of the module `name` for the file `home`, with dynamic imports pointed at the bundles."""

    def asked(found: re.Match[str]) -> str:
        module = joined(name, found[2])
        if module not in place:
            return f'import("{_up(home)}{module}")'
        return f'import("{_up(home)}{place[module]}").then((all) => all.{_id(module)})'

    return _ASKED.sub(asked, text) if "import(" in text else text


def _one(
    file: str, modules: Mapping[str, str], place: Mapping[str, str], there: Mapping[str, Mapping[str, str]]
) -> str:
    """Return the bundle of `modules`, given by name."""
    wanted = {
        module: None for name, text in modules.items() for module in _imports(name, text) if module not in modules
    }
    bodies = "\n".join(_wrapped(file, name, text, place, there[name]) for name, text in modules.items())
    return f"{_ahead(file, wanted, place)}{bodies}\nexport {{ {', '.join(map(_id, modules))} }};\n"


def _imports(name: str, text: str) -> Iterator[str]:
    """Yield the modules that a module imports at its start."""
    for _, _, relative in _IMPORT.findall(text):
        yield joined(name, relative)


def _wrapped(file: str, name: str, text: str, place: Mapping[str, str], exports: Mapping[str, str]) -> str:
    """Return a module as the body of a function in `file`, which returns its exports."""

    def imported(found: re.Match[str]) -> str:
        return _taken(found[1] or "", found[2] or "", _id(joined(name, found[3])))

    body = _asking(name, file, _IMPORT.sub(imported, text), place)
    if _gives(text):
        body = _DEFAULT.sub(r"\1const $default = ", body)
    body = _DECLARED.sub(r"\1 \2", body)
    if _lists(text):
        body = _LISTED.sub(r"\1", body)
    for left in _LEFT.findall(body):
        if left != "import.meta" or "/" in name:
            raise ValueError(f"{name} has what cannot stand in {file}: {left}")
    said = ", ".join(there if there == here else f"{there}: {here}" for there, here in exports.items())
    return f"const {_id(name)} = (() => {{\n{body.strip()}\nreturn {{ {said} }};\n}})();"


def _stub(name: str, file: str, exports: Mapping[str, str]) -> bytes:
    """Return the file at the address of a module that is bundled in `file`."""
    module = _id(name)
    lines = [f'import {{ {module} }} from "{_up(name)}{file}";']
    if named := [said for said in exports if said != "default"]:
        lines.append(f"export const {{ {', '.join(named)} }} = {module};")
    if "default" in exports:
        lines.append(f"export default {module}.default;")
    return ("\n".join(lines) + "\n").encode()


def _taking(name: str, text: str, place: Mapping[str, str]) -> str:
    """Return a module outside the bundles, with its imports of bundled modules combined by bundle."""
    wanted = {module: None for module in _imports(name, text) if module in place}

    def imported(found: re.Match[str]) -> str:
        module = joined(name, found[3])
        return _taken(found[1] or "", found[2] or "", _id(module)) if module in place else found[0]

    return _ahead(name, wanted, place) + _asking(name, name, _IMPORT.sub(imported, text), place)
