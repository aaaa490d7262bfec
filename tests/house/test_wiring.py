"""Hold that parts get their collaborators in their constructors: no function or part is assigned to an attribute of another object."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import shown, sources_of

PACKAGES = ("ext", "engine", "server")
# Assignments that are left: file, and the attribute. The list only shrinks.
LEFT = {
    "server/main/parts/reception.py: self.addresses.known",  # its parts are made from the worker, which is made from the addresses
}
FIELDS = 15  # of a class that has too many
LARGE = 23  # classes of so many fields or more; the number only shrinks


def trees() -> Iterator[tuple[Path, ast.Module]]:
    """Parse each Python source of the product."""
    for package in PACKAGES:
        for source in sources_of(package, ".py"):
            yield source, ast.parse(source.read_text())


@functools.cache
def names() -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that are functions or methods and never data, and those of classes."""
    functions, classes, data = set[str](), set[str](), set[str]()
    for _, tree in trees():
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    is_property = any(isinstance(one, ast.Name) and one.id == "property" for one in node.decorator_list)
                    (data if is_property else functions).add(node.name)
                case ast.ClassDef():
                    classes.add(node.name)
                case ast.AnnAssign(target=ast.Name(id=name)):
                    data.add(name)
                case ast.Attribute(attr=name, ctx=ast.Store()):
                    data.add(name)
    return frozenset(functions - data), frozenset(classes)


def is_collaborator(value: ast.expr, functions: frozenset[str], made: frozenset[str]) -> bool:
    """Whether a value is a function, a bound method or `self`, or an instance of one of the classes `made`."""
    match value:
        case ast.Lambda():
            return True
        case ast.Name(id=name):
            return name == "self" or name in functions
        case ast.Attribute(attr=name):
            return name in functions
        case ast.Call(func=ast.Name(id=name)):
            return name == "partial" or name in made
        case ast.BoolOp(values=values):
            return any(is_collaborator(one, functions, made) for one in values)
        case ast.IfExp(body=body, orelse=orelse):
            return is_collaborator(body, functions, made) or is_collaborator(orelse, functions, made)
    return False


def assigned(tree: ast.AST) -> Iterator[tuple[ast.Attribute, ast.expr]]:
    """Yield each attribute of an object other than `self` and `cls` that is assigned to, with its value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                match target, node.value:
                    case ast.Tuple(elts=targets), ast.Tuple(elts=values):
                        pairs = list(zip(targets, values, strict=False))
                    case _:
                        pairs = [(target, node.value)]
                for one, value in pairs:
                    if isinstance(one, ast.Attribute):
                        owner = one.value
                        if not (isinstance(owner, ast.Name) and owner.id in ("self", "cls")):
                            yield one, value


def wired(tree: ast.AST) -> list[str]:
    """Return the attributes of other objects that a source assigns a collaborator to."""
    functions, classes = names()
    found = []
    for target, value in assigned(tree):
        inside = isinstance(
            target.value, ast.Attribute
        )  # a part of a part; what is made for a local object is data of a record
        if is_collaborator(value, functions, classes if inside else frozenset()):
            found.append(ast.unparse(target))
    return found


def fields(tree: ast.ClassDef) -> int:
    """Return how many attributes a class has."""
    stored = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    declared = {
        node.target.id for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    return len(stored | declared)


def test_no_part_assigns_a_collaborator_to_another_object() -> None:
    found = {f"{shown(source)}: {target}" for source, tree in trees() for target in wired(tree)}
    assert found - LEFT == set(), "pass it to the constructor, or give the lower part a method that subscribes"
    assert LEFT - found == set(), "take these from the list"


def test_no_more_classes_have_many_fields() -> None:
    large = {
        f"{shown(source)}: {node.name}": count
        for source, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and (count := fields(node)) >= FIELDS and not is_value(node)
    }
    assert len(large) == LARGE, f"lower LARGE, or split a class: {large}"


def is_value(node: ast.ClassDef) -> bool:
    """Whether a class only holds values: a dataclass, a tuple, a section of settings, a record of the engine."""
    bases = {ast.unparse(base) for base in node.bases}
    return bool(node.decorator_list) or bool(bases & {"NamedTuple", "Section", "Protocol", "BaseModel", "BaseSettings"})


def test_a_wired_callback_is_seen() -> None:
    tree = ast.parse(
        "worker.banned = lambda: None\nlinks.on_turn, session.state = self, 3\nself.x = self\nself.a.b = Worker()\nsession.c = Worker()"
    )
    assert wired(tree) == ["worker.banned", "links.on_turn", "self.a.b"]
