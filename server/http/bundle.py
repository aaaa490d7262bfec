"""The first load in few requests: the modules that app.js imports become one, `first.js`; the style sheets of the shell become `style/first.css`.

Rule: the sources stay as they are, and so does what they do. Each module is the body of a function of its own, in the order in which a
browser would run them, so that a name of one is no name of another. There is one copy of each: a module that comes later takes what it
imports from `first.js`, and the address of a module that is in there answers with what it exports. What this does not know how to
put together (a circle, a form of `import` that we do not use) is a ValueError at the start, and no page that is half right.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

FIRST: Final = "first.js"  # beside app.js: what is relative to the folder stays so
SHEET: Final = "style/first.css"
START: Final = "app.js"
_NAMES = r"\{([^{}]*)\}"
_FROM = r"[ \t]*[\"'](\.[^\"']+)[\"'];?"
# `import "./a.js"`, `import a from "./a.js"`, `import {a, b as c} from "./a.js"`, also as a packer writes them
_IMPORT = re.compile(rf"^import\b[ \t]*(?:(\w+)[ \t]+from|{_NAMES}[ \t]*from|){_FROM}", re.M)
_DECLARED = re.compile(r"^export (const|function|async function|class) (\w+)", re.M)
_LISTED = re.compile(rf"(^|;|\}})export[ \t]*{_NAMES}(?![ \t]*from);?", re.M)
_DEFAULT = re.compile(r"(^|;|\})export default ", re.M)
_LEFT = re.compile(r"^(?:import|export)\b[^(.].*$|^await\b.*$|import\.meta", re.M)
_LATER = re.compile(r"\bimport\(([\"'])(\.[^\"']+)\1\)")
_STYLED = re.compile(r'(<link rel="stylesheet" href="/s/-/style/[a-z-]+\.css">\n?)+')
_SHEET = re.compile(r'href="/s/-/([^"]+)"')


def bundled(sources: Mapping[str, bytes]) -> dict[str, bytes]:
    """`sources`, by name and with their readers' comments out, with `first.js` and what follows from it.

    Raises ValueError for what cannot be put together.
    """
    inside = first_load(sources)
    there = {name: _exports(sources[name].decode()) for name in inside}
    _meet(sources, there)
    found = dict(sources)
    for name, body in sources.items():
        if name in inside:
            found[name] = _stub(name, there[name])
        elif name.endswith((".js", ".mjs")):
            found[name] = _taking(name, body.decode(), inside).encode()
    modules = "\n".join(_wrapped(name, sources[name].decode(), there[name]) for name in inside)
    found[FIRST] = f"{modules}\nexport {{ {', '.join(map(_id, inside))} }};\n".encode()
    shell = sources["index.html"].decode()
    styles = [name for run in _STYLED.finditer(shell) for name in _SHEET.findall(run[0])]
    found[SHEET] = b"".join(sources[name] for name in styles)
    links = f'<link rel="stylesheet" href="/s/-/{SHEET}">\n'
    found["index.html"] = _STYLED.sub(links, shell, count=1).encode()
    return found


def first_load(sources: Mapping[str, bytes], start: str = START) -> list[str]:
    """What `start` imports, and what that imports, each after all that it needs; without `start`."""
    done: list[str] = []
    open_: list[str] = []

    def visit(name: str) -> None:
        if name in open_:
            raise ValueError(f"modules of the page that import each other: {' → '.join([*open_, name])}")
        if name not in done:
            open_.append(name)
            for _, _, found in _IMPORT.findall(sources[name].decode()):
                visit(joined(name, found))
            done.append(open_.pop())

    visit(start)
    return done[:-1]


def joined(name: str, relative: str) -> str:
    """The path that `relative` means in the file `name`, within the folder."""
    steps = name.split("/")[:-1]
    for step in relative.split("/"):
        if step == "..":
            steps.pop()
        elif step != ".":
            steps.append(step)
    return "/".join(steps)


def _id(name: str) -> str:
    """The name of a module's exports, in `first.js`."""
    return "$" + re.sub(r"\W", "_", name.rpartition(".")[0])


def _up(name: str) -> str:
    """From the folder of the file `name` to that of `first.js`."""
    return "../" * name.count("/") or "./"


def _pairs(names: str) -> list[tuple[str, str]]:
    """`a, b as c` as pairs of what there is and what it is called."""
    words = (part.split() for part in names.split(",") if part.strip())
    return [(word[0], word[-1]) for word in words]


def _taken(default: str, names: str, module: str) -> str:
    """An import, as a statement within `first.js`; `names` as they stand in braces."""
    if default:
        return f"const {default} = {module}.default;"
    pairs = ", ".join(there if there == here else f"{there}: {here}" for there, here in _pairs(names))
    return f"const {{ {pairs} }} = {module};" if pairs else ""


def _meet(sources: Mapping[str, bytes], there: Mapping[str, Mapping[str, str]]) -> None:
    """Whoever imports what is not there is told now: in `first.js` it would be `undefined`, without a word."""
    for name, body in sources.items():
        for default, names, relative in _IMPORT.findall(body.decode()) if name.endswith((".js", ".mjs")) else ():
            known = there.get(joined(name, relative))
            wanted = {said for said, _ in _pairs(names)} | ({"default"} if default else set())
            if known is not None and not wanted <= set(known):
                raise ValueError(f"{name} imports what {relative} has not: {', '.join(sorted(wanted - set(known)))}")


def _exports(text: str) -> dict[str, str]:
    """What a module exports, by name: what it is called inside."""
    found = {said: said for _, said in _DECLARED.findall(text)}
    for _, names in _LISTED.findall(text):
        found |= {there: here for here, there in _pairs(names)}
    if _DEFAULT.search(text):
        found["default"] = "$default"
    return found


def _wrapped(name: str, text: str, exports: Mapping[str, str]) -> str:
    """A module as a function's body, whose value is what it exports."""

    def imported(found: re.Match[str]) -> str:
        return _taken(found[1] or "", found[2] or "", _id(joined(name, found[3])))

    def later(found: re.Match[str]) -> str:
        return f'import("./{joined(name, found[2])}")'

    body = _IMPORT.sub(imported, text)
    body = _LATER.sub(later, body)
    body = _LISTED.sub(r"\1", _DECLARED.sub(r"\1 \2", _DEFAULT.sub(r"\1const $default = ", body)))
    for left in _LEFT.findall(body):
        if left != "import.meta" or "/" in name:
            raise ValueError(f"{name} has what cannot stand in {FIRST}: {left}")
    said = ", ".join(there if there == here else f"{there}: {here}" for there, here in exports.items())
    return f"const {_id(name)} = (() => {{\n{body.strip()}\nreturn {{ {said} }};\n}})();"


def _stub(name: str, exports: Mapping[str, str]) -> bytes:
    """What the address of a module answers that is in `first.js`."""
    module = _id(name)
    lines = [f'import {{ {module} }} from "{_up(name)}{FIRST}";']
    if named := [said for said in exports if said != "default"]:
        lines.append(f"export const {{ {', '.join(named)} }} = {module};")
    if "default" in exports:
        lines.append(f"export default {module}.default;")
    return ("\n".join(lines) + "\n").encode()


def _taking(name: str, text: str, inside: Iterable[str]) -> str:
    """A module that comes later, with one import in the place of all that `first.js` has."""
    wanted: dict[str, None] = {}

    def imported(found: re.Match[str]) -> str:
        module = joined(name, found[3])
        if module not in inside:
            return found[0]
        if found[1] or found[2]:
            wanted[_id(module)] = None
        return _taken(found[1] or "", found[2] or "", _id(module))

    body = _IMPORT.sub(imported, text)
    if not wanted:
        return body
    return f'import {{ {", ".join(wanted)} }} from "{_up(name)}{FIRST}";\n{body}'
