"""`python -m bench VERB` is the one way to a bench: every verb is there, and no module has a door of its own."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import VERBS, main
from bench.support.results import ROOT

SOURCES = [path for path in (ROOT / "bench").rglob("*.py") if "peers" not in path.parts]


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_what_it_does_and_takes(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: python -m bench {verb} [-h]")


@pytest.mark.parametrize("words", [[], ["nonsense"]])
def test_without_a_verb_that_there_is_the_status_is_2_and_the_error_says_so(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "verb" in capsys.readouterr().err


def test_the_list_of_verbs_loads_none_of_them() -> None:
    code = "import sys, bench.__main__; print(*(name for name in sys.modules if name.startswith('bench.')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["bench.__main__"]


def test_no_module_has_a_door_of_its_own() -> None:
    doors = {str(path.relative_to(ROOT)) for path in SOURCES if 'if __name__ == "__main__"' in path.read_text()}
    assert doors == {
        "bench/__main__.py",
        "bench/server/relay_program.py",
        "bench/server/chat_program.py",
        "bench/server/hub_program.py",
        "bench/server/sieve_program.py",
        "bench/server/window_program.py",
    }  # the latter four run alone, the relay in a copy of ext that has no bench


def folder(module: str) -> str:
    """The folder of `bench` that a module is in; empty for one that stands above them."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (ROOT / "bench" / parts[1]).is_dir() else ""


def test_folders_import_each_other_in_one_direction() -> None:
    below: dict[str, set[str]] = {}
    for path in SOURCES:
        own = folder(".".join(path.relative_to(ROOT).parts))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bench":
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
                below.setdefault(own, set()).update({folder(name) for name in names} - {own, ""})
    assert below[""] == {"matching", "server"}
    assert below.pop("support") == set()
    while below:
        lowest = {name for name, others in below.items() if not others & below.keys()}
        assert lowest, f"a circle: {below}"
        below = {name: others for name, others in below.items() if name not in lowest}


def test_no_document_names_a_second_way() -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    second = re.compile(r"python -m bench\.\w")
    texts = [ROOT / name for name in listing.split("\0") if Path(name).suffix in (".md", ".py", ".pyx", ".toml")]
    assert [str(path) for path in texts if path.is_file() and second.search(path.read_text())] == []
