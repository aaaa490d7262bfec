"""Templates: escaped, strict, and of what the build compiled where that is of exactly this source."""

from pathlib import Path

import jinja2
import pytest

from server.http.words.templates import COMPILED, FOLDERS, SERVER, compile_into, environment


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of templates that are compiled in this test, as they are."""
    found: list[str] = []
    before = jinja2.Environment.compile

    def compile(self: jinja2.Environment, source: str, name: str, *more: str) -> object:
        found.append(name)
        return before(self, source, name, *more)

    monkeypatch.setattr(jinja2.Environment, "compile", compile)
    (tmp_path / "base.html").write_text("<p>{% block body %}{% endblock %} {{ place }}</p>")
    (tmp_path / "a.html").write_text('{% extends "base.html" %}{% block body %}{{ name }}{% endblock %}')
    return found


def test_what_the_build_compiled_is_all_that_is_there(compiled: list[str]) -> None:
    for folder in FOLDERS:
        environment(SERVER / folder)
    assert compiled == [], "run: make build"


@pytest.mark.parametrize("built", [False, True])
def test_a_page_is_the_same_by_either_way(compiled: list[str], tmp_path: Path, built: bool) -> None:
    if built:
        compile_into(tmp_path, tmp_path)
        compiled.clear()
    made = environment(tmp_path, place="<here>")
    assert made.get_template("a.html").render(name="<b>") == "<p>&lt;b&gt; &lt;here&gt;</p>"
    assert sorted(compiled) == ([] if built else ["a.html", "base.html"])
    with pytest.raises(jinja2.UndefinedError):
        made.get_template("a.html").render()


def test_what_changed_since_is_compiled_anew(compiled: list[str], tmp_path: Path) -> None:
    compile_into(tmp_path, tmp_path)
    (tmp_path / "a.html").write_text("new")
    compiled.clear()
    assert environment(tmp_path).get_template("a.html").render() == "new"
    assert compiled == ["a.html"]


@pytest.mark.parametrize("what", ["", "damaged", "another Python"])
def test_what_cannot_be_taken_is_compiled_anew(
    compiled: list[str], tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("server.http.words.templates._MADE_BY", "cpython-27" if what == "another Python" else "nobody")
        compile_into(tmp_path, tmp_path)
    if what != "another Python":
        (tmp_path / COMPILED).write_bytes(what.encode())
    compiled.clear()
    assert environment(tmp_path, "a.html", place="x").get_template("a.html").render(name="y") == "<p>y x</p>"
    assert sorted(compiled) == ["a.html", "base.html"]


def test_only_what_is_wanted_is_read(compiled: list[str], tmp_path: Path) -> None:
    environment(tmp_path, "a.html")
    assert compiled == ["a.html"]
