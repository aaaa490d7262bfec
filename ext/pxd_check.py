"""Check that each .pxd file declares what its .py module defines: `python -m ext.pxd_check` prints the differences.

**Invariant:** the build fails if they differ, because Cython accepts some differences silently.
"""

# The worst of these: a dataclass takes its fields in the order of the .pxd.

import ast
import re
import sys
from pathlib import Path

from ext.compiled_module_switch import FOLDERS

_CLASS = re.compile(r"cdef class (\w+)(?:\(\w+\))?:")
_METHOD = re.compile(r"(?:cpdef|cdef) (?:inline )?(?:\w+ )?(\w+)\((.*)\)(?: except\?? .*| noexcept.*)?$")
_CONTINUED = re.compile(r"(?<=,)\n +(?=\w+=)")  # a row of locals may take two lines
_LOCALS = re.compile(r"@cython\.locals\((.*)\)$")
_FIELDS = re.compile(r"cdef (?:public |readonly )?\w+(?:\[::1\])? ([\w, ]+)$")
_NUMBERS = re.compile(r"cdef (?:double|int|dict) ([A-Za-z_, ]+)$")  # and tables of the module, which no other one sees
Takes = list[tuple[str, bool]]  # per parameter: its name, and whether it is optional


class Declared:
    """Contents of a .pxd: fields by class in order, by name (`Class.method`) the functions and the locals of some, numbers of the module."""

    def __init__(self, text: str) -> None:
        self.fields: dict[str, list[str]] = {}
        self.functions: dict[str, Takes] = {}
        self.locals: dict[str, list[str]] = {}
        self.numbers: list[str] = []
        inside, typed = "", ""
        for line in _CONTINUED.sub(" ", text).splitlines():
            said = line.strip()
            if said and not line.startswith(" "):
                found = _CLASS.match(said)
                inside = found[1] if found else ""
                if found:
                    self.fields[inside] = []
                    continue
            method, fields, own = _METHOD.match(said), _FIELDS.match(said), _LOCALS.match(said)
            if own:
                typed = own[1]
            elif method:
                name = f"{inside}.{method[1]}" if inside else method[1]
                self.functions[name] = _taken(method[2])
                self.locals[name] = [part.partition("=")[0].strip() for part in typed.split(",") if part]
                typed = ""
            elif fields and inside:
                self.fields[inside] += [name.strip() for name in fields[1].split(",")]
            elif numbers := _NUMBERS.match(line):
                self.numbers += [name.strip() for name in numbers[1].split(",")]
            elif said and not said.startswith(("from ", "cimport ", "#", "pass", '"""')):
                raise SyntaxError(f"not understood: {line}")


def _taken(said: str) -> Takes:
    parts = [part.strip() for part in said.split(",") if part.strip()]
    return [(part.removesuffix("=*").split()[-1], part.endswith("=*")) for part in parts]


def _takes(function: ast.FunctionDef) -> Takes:
    names = [argument.arg for argument in function.args.args]
    without = len(names) - len(function.args.defaults)
    return [(name, place >= without) for place, name in enumerate(names)]


def _stored(function: ast.FunctionDef) -> set[str]:
    """Return the names that a function assigns."""
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _fields(kind: ast.ClassDef) -> tuple[list[str], bool]:
    """Return the fields of a class's instances, and whether their order counts."""
    if any("dataclass" in ast.unparse(decorator) for decorator in kind.decorator_list):
        return [
            node.target.id
            for node in kind.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        ], True
    for node in kind.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__slots__":
            return list(ast.literal_eval(node.value)), False
    written = [
        node.attr
        for node in ast.walk(kind)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"
    ]
    return list(dict.fromkeys(written)), False


def differences(declared: Path) -> list[str]:
    """Return the differences between a .pxd and the module beside it, one line each."""
    source, said = declared.with_suffix(".py"), Declared(declared.read_text("utf-8"))
    tree = ast.parse(source.read_text("utf-8"))
    kinds = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name, kind in kinds.items():
        functions |= {f"{name}.{node.name}": node for node in kind.body if isinstance(node, ast.FunctionDef)}
    found = []
    for name, fields in said.fields.items():
        if name not in kinds:
            found.append(f"class {name} is not in the module")
            continue
        theirs, ordered = _fields(kinds[name])
        if fields != theirs if ordered else sorted(fields) != sorted(theirs):
            found.append(f"{name} has the fields {', '.join(theirs)}; declared: {', '.join(fields)}")
    for name, takes in said.functions.items():
        if name not in functions:
            found.append(f"{name} is not in the module")
        elif _takes(functions[name]) != takes:
            found.append(f"{name} takes {_takes(functions[name])}; declared: {takes}")
        elif strange := set(said.locals[name]) - _stored(functions[name]):
            found.append(f"{name} has no {', '.join(sorted(strange))}")
    assigned = {ast.unparse(node.target) for node in tree.body if isinstance(node, ast.AnnAssign)}
    found += [
        f"{name} is no number of the module alone" for name in said.numbers if name not in assigned or name[0] != "_"
    ]
    return [f"{declared}: {line}" for line in found]


def main() -> None:
    """Print all differences; exit with status 1 if there are any."""
    found = [line for folder in FOLDERS for file in sorted(Path(folder).rglob("*.pxd")) for line in differences(file)]
    print(*found, sep="\n", file=sys.stderr)  # noqa: T201 - its output
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
