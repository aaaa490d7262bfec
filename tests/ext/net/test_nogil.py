"""From a socket that is ready to the `send` no message enters Python: every function on the way is nogil, in its source and in its C.

Rule: the way is found, not listed: whatever `serve` reaches, by name, through the modules of the data road.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
START = ("intake", "serve")
# A function of C, by one of these, works on Python's objects or takes the GIL. What Cython writes for plain C does neither.
PYTHON = re.compile(
    r"\b(?:_?Py[A-Z]\w*|__Pyx_(?:Py|GIL|Add|Raise|Write|Get|Set|Call|Import|Print|INCREF|DECREF|XDECREF)\w*)\s*\("
)
HEAD = re.compile(
    r"^cdef (?!class|enum|struct|union|extern|object\b.*=)(?:inline )?[^\n=()]*?\b(\w+)\(([^()]*)\)([^\n:]*):\n((?:[ \t].*\n|\n)*)",
    re.M,
)
CIMPORT = re.compile(r"^from ext\.net\.(\w+) cimport (\([^)]*\)|[^\n]*)", re.M)


class Function(NamedTuple):
    """One cdef function: what its head says behind the arguments, and its lines."""

    manner: str
    body: str


Sources = dict[str, str]  # module to the text of its .pxd and .pyx
Place = tuple[str, str]  # module, function


def sources() -> Sources:
    """The data road as it stands."""
    folder = ROOT / "ext" / "net"
    found: Sources = {}
    for path in sorted([*folder.glob("*.pxd"), *folder.glob("*.pyx")]):
        found[path.stem] = found.get(path.stem, "") + path.read_text() + "\n"
    return found


def functions(text: str) -> dict[str, Function]:
    """The cdef functions of one module."""
    return {match[1]: Function(match[3].strip(), match[4]) for match in HEAD.finditer(text)}


def way(texts: Sources) -> dict[Place, Function]:
    """Every function that START reaches."""
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
    """Functions of the way that may enter Python by what their source says."""
    return [
        f"{module}.{name}"
        for (module, name), function in sorted(way(texts).items())
        if function.manner != "noexcept nogil" or re.search(r"\bwith gil\b", function.body)
    ]


def compiled(texts: Sources, folder: Path) -> dict[str, str]:
    """The C that Cython makes of the modules of the way. `texts` is what their sources are replaced by where they differ."""
    road = folder / "ext" / "net"
    shutil.copytree(ROOT / "ext" / "net", road, ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
    shutil.copy(ROOT / "ext" / "__init__.py", road.parent)
    modules = sorted({module for module, _ in way(texts)})
    for module in modules:
        pyx, pxd = road / f"{module}.pyx", road / f"{module}.pxd"
        if pyx.exists():
            pyx.write_text(texts[module].removeprefix(pxd.read_text() if pxd.exists() else ""))
    files = [f"ext/net/{module}.pyx" for module in modules if (road / f"{module}.pyx").exists()]
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
    subprocess.run([sys.executable, "-m", "cython", *options, *files], cwd=folder, check=True, capture_output=True)
    return {Path(file).stem: (folder / file).with_suffix(".c").read_text() for file in files}


def wrong_in_c(texts: Sources, folder: Path) -> list[str]:
    """Functions of the way whose C calls Python, with what they call first."""
    made = compiled(texts, folder)
    wrong = []
    for module, name in sorted(way(texts)):
        holders = (
            made.values()
            if (ROOT / "ext" / "net" / f"{module}.pxd").read_text().find(f" {name}(") >= 0
            else [made[module]]
        )
        body = re.compile(
            rf"^static (?:CYTHON_INLINE )?[^\n;]*__pyx_f_3ext_3net_{len(module)}{module}_{name}\([^;\n]*\) {{\n(.*?)^}}\n",
            re.M | re.S,
        )
        bodies = [match[1] for text in holders for match in body.finditer(text)]
        assert bodies, f"no C of {module}.{name}"
        called = [match[0] for text in bodies for match in [PYTHON.search(text)] if match]
        wrong += [f"{module}.{name}: {called[0]}"] if called else []
    return wrong


def with_a_print(texts: Sources, module: str, name: str) -> Sources:
    """A copy in which that function prints something."""
    start = re.search(rf"^cdef [^\n=]*\b{name}\([^()]*\) noexcept nogil:\n", texts[module], re.M)
    assert start
    planted = '    with gil:\n        print("here")\n'
    return {**texts, module: texts[module][: start.end()] + planted + texts[module][start.end() :]}


def test_the_way_goes_from_the_read_to_the_send() -> None:
    found = {name for _, name in way(sources())}
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


def test_every_function_on_the_way_is_nogil_and_takes_the_gil_nowhere() -> None:
    assert wrong_in_source(sources()) == []


@pytest.mark.timeout(300)  # Cython compiles the data road anew
def test_the_c_of_the_way_calls_nothing_of_python(tmp_path: Path) -> None:
    assert wrong_in_c(sources(), tmp_path) == []


@pytest.mark.parametrize(
    ("module", "name"),
    [("intake", "piece"), ("ring", "ring_append"), ("output", "flush"), ("events", "event_add"), ("tunnel", "queued")],
)
def test_a_call_of_python_planted_on_the_way_is_found_in_the_source(module: str, name: str) -> None:
    assert wrong_in_source(with_a_print(sources(), module, name)) == [f"{module}.{name}"]


def test_a_function_on_the_way_that_is_not_nogil_is_found() -> None:
    texts = sources()
    for manner in ("noexcept", "nogil", "except -1"):
        planted = texts["utf8"].replace(
            "valid(const uint8_t *p, Py_ssize_t n) noexcept nogil:", f"valid(const uint8_t *p, Py_ssize_t n) {manner}:"
        )
        assert planted != texts["utf8"]
        assert wrong_in_source({**texts, "utf8": planted}) == ["utf8.valid"]


@pytest.mark.timeout(300)
def test_a_call_of_python_planted_on_the_way_is_found_in_the_c(tmp_path: Path) -> None:
    (found,) = wrong_in_c(with_a_print(sources(), "relay", "relay_typing"), tmp_path)
    assert found.startswith("relay.relay_typing: ")
