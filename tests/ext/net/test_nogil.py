"""Check that no message enters Python between a ready socket and the `send`: every function on the hot path is nogil, in source and in C.

**Invariant:** the hot path is found, not listed: all functions that `serve` reaches, by name, through the modules of ext.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("base", "net", "accept", "migrate", "reactor")
START = ("reactor.socket_input", "serve")
# A function of C, by one of these, works on Python's objects or takes the GIL. What Cython writes for plain C does neither.
PYTHON = re.compile(
    r"\b(?:_?Py[A-Z]\w*|__Pyx_(?:Py|GIL|Add|Raise|Write|Get|Set|Call|Import|Print|INCREF|DECREF|XDECREF)\w*)\s*\("
)
HEAD = re.compile(
    r"^cdef (?!class|enum|struct|union|extern|object\b.*=)(?:inline )?[^\n=()]*?\b(\w+)\(([^()]*)\)([^\n:]*):\n((?:[ \t].*\n|\n)*)",
    re.M,
)
CIMPORT = re.compile(r"^from ext\.(\w+\.\w+) cimport (\([^)]*\)|[^\n]*)", re.M)


class Function(NamedTuple):
    """One cdef function: the qualifiers behind its arguments, and its lines."""

    manner: str
    body: str


Sources = dict[str, str]  # `package.module` to the text of its .pxd and .pyx
Place = tuple[str, str]  # module, function


def sources() -> Sources:
    """Return the sources of the packages that the hot path passes."""
    found: Sources = {}
    for package in PACKAGES:
        for path in sorted((ROOT / "ext" / package).glob("*.p[xy][dx]")):
            module = f"{package}.{path.stem}"
            found[module] = found.get(module, "") + path.read_text() + "\n"
    return found


def functions(text: str) -> dict[str, Function]:
    """Return the cdef functions of one module."""
    return {match[1]: Function(match[3].strip(), match[4]) for match in HEAD.finditer(text)}


def hot_path(texts: Sources) -> dict[Place, Function]:
    """Return every function that START reaches."""
    made = {module: functions(text) for module, text in texts.items()}
    known: dict[str, dict[str, Place]] = {}
    for module, text in texts.items():
        names = known[module] = {name: (module, name) for name in made[module]}
        for source, listed in CIMPORT.findall(text):
            asked = made.get(source, {}) if listed.strip() == "*" else re.findall(r"\w+", listed)
            names |= {name: (source, name) for name in asked if name in made.get(source, {})}
    found: dict[Place, Function] = {}
    ahead = [START]
    while ahead:
        place = ahead.pop()
        if place not in found:
            found[place] = made[place[0]][place[1]]
            ahead += [
                known[place[0]][name] for name in re.findall(r"\b(\w+)\(", found[place].body) if name in known[place[0]]
            ]
    return found


def wrong_in_source(texts: Sources) -> list[str]:
    """List functions of the hot path that may enter Python, by their source."""
    return [
        f"{module}.{name}"
        for (module, name), function in sorted(hot_path(texts).items())
        if function.manner != "noexcept nogil" or re.search(r"\bwith gil\b", function.body)
    ]


def compiled(texts: Sources, folder: Path) -> dict[str, str]:
    """Compile the modules of the hot path with Cython; return their C. `texts`: the sources, of which some may be altered."""
    shutil.copytree(ROOT / "ext", folder / "ext", ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__", "match"))
    files = {}
    for module in sorted({module for module, _ in hot_path(texts)}):
        pyx = folder / "ext" / f"{module.replace('.', '/')}.pyx"
        if pyx.exists():
            pxd = pyx.with_suffix(".pxd")
            pyx.write_text(texts[module].removeprefix(f"{pxd.read_text()}\n" if pxd.exists() else ""))
            files[module] = pyx
    options = [
        "-3",
        "-X",
        "cdivision=True",
        "-X",
        "boundscheck=False",
        "-X",
        "wraparound=False",
        "-X",
        "initializedcheck=False",
    ]
    subprocess.run(
        [sys.executable, "-m", "cython", *options, *map(str, files.values())],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return {module: pyx.with_suffix(".c").read_text() for module, pyx in files.items()}


def wrong_in_c(texts: Sources, folder: Path) -> list[str]:
    """List functions of the hot path whose C calls Python, with the first call."""
    made = compiled(texts, folder)
    wrong = []
    for module, name in sorted(hot_path(texts)):
        declared = ROOT / "ext" / f"{module.replace('.', '/')}.pxd"
        holders = made.values() if f" {name}(" in declared.read_text() else [made[module]]
        mangled = "_".join(f"{len(part)}{part}" for part in f"ext.{module}".split("."))
        body = re.compile(
            rf"^static (?:CYTHON_INLINE )?[^\n;]*__pyx_f_{mangled}_{name}\([^;\n]*\) {{\n(.*?)^}}\n", re.M | re.S
        )
        bodies = [match[1] for text in holders for match in body.finditer(text)]
        assert bodies, f"no C of {module}.{name}"
        called = [match[0] for text in bodies for match in [PYTHON.search(text)] if match]
        wrong += [f"{module}.{name}: {called[0]}"] if called else []
    return wrong


def with_a_print(texts: Sources, module: str, name: str) -> Sources:
    """Return a copy in which this function prints something."""
    start = re.search(rf"^cdef [^\n=]*\b{name}\([^()]*\) noexcept nogil:\n", texts[module], re.M)
    assert start
    planted = '    with gil:\n        print("here")\n'
    return {**texts, module: texts[module][: start.end()] + planted + texts[module][start.end() :]}


def test_the_hot_path_leads_from_the_read_to_the_send() -> None:
    found = {name for _, name in hot_path(sources())}
    assert found >= {
        *(
            "serve",
            "readable",
            "parse",
            "consume",
            "await_head",
            "control",
            "piece",
            "message",
            "decide",
            "event_add",
            "scan",
        ),
        *(
            "relay_message",
            "relay_typing",
            "ring_append",
            "envelope",
            "reserve",
            "frame",
            "fault",
            "fail",
            "leave",
            "lose",
        ),
        *(
            "flush_dirty",
            "flush",
            "shrink",
            "fit",
            "chunk_take",
            "buffer_free",
            "wheel_arm",
            "take",
            "parse_header",
            "unmask",
        ),
        *("tunnelled", "to_client", "to_home", "followed", "taken", "home_gone", "client_gone", "parse_own"),
    }


def test_every_function_on_the_hot_path_is_nogil_and_never_takes_the_gil() -> None:
    assert wrong_in_source(sources()) == []


@pytest.mark.timeout(300)  # Cython compiles the hot path anew
def test_the_c_of_the_hot_path_calls_nothing_of_python(tmp_path: Path) -> None:
    assert wrong_in_c(sources(), tmp_path) == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("reactor.socket_input", "piece"),
        ("net.chat_ring", "ring_append"),
        ("net.output", "flush"),
        ("net.event_queue", "event_add"),
        ("migrate.tunnel", "queued"),
    ],
)
def test_a_call_of_python_planted_on_the_hot_path_is_found_in_the_source(module: str, name: str) -> None:
    assert wrong_in_source(with_a_print(sources(), module, name)) == [f"{module}.{name}"]


def test_a_function_on_the_hot_path_that_is_not_nogil_is_found() -> None:
    texts = sources()
    for manner in ("noexcept", "nogil", "except -1"):
        planted = texts["net.utf8"].replace(
            "valid(const uint8_t *p, Py_ssize_t n) noexcept nogil:", f"valid(const uint8_t *p, Py_ssize_t n) {manner}:"
        )
        assert planted != texts["net.utf8"]
        assert wrong_in_source({**texts, "net.utf8": planted}) == ["net.utf8.valid"]


@pytest.mark.timeout(300)
def test_a_call_of_python_planted_on_the_hot_path_is_found_in_the_c(tmp_path: Path) -> None:
    (found,) = wrong_in_c(with_a_print(sources(), "net.relay", "relay_typing"), tmp_path)
    assert found.startswith("net.relay.relay_typing: ")
