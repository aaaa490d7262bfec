"""Test that tiers and groups follow from the place of a test and its fixtures."""

from pathlib import Path

import pytest

from tests.server.fleet.processes.hosts import Host
from tests.server.site.web.servers import Server
from tests.support import groups

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import pytest

@pytest.fixture
def server():
    pass

@pytest.fixture
def asking(server):
    pass

@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    return request.param

def test_alone():
    pass

def test_server(asking):
    pass

def test_store(url):
    pass
"""


def test_what_moves_a_browser_is_four_groups_and_another_file_its_own() -> None:
    page = "tests/server/site/web/test_words.py::test_a[x::y]"
    assert groups.group_of(page) == groups.group_of(f"{groups.FROM}::test_b") == groups.MORE_WINDOWS
    assert groups.group_of("tests/server/site/web/test_ends.py::test_b") == groups.WINDOWS
    other = "tests/server/realtime/video/page/test_hands.py::test_b"
    assert (
        groups.group_of(other)
        == groups.group_of("tests/server/data/privacy/test_canary.py::test_c")
        == groups.ELSEWHERE
    )
    assert groups.group_of(f"{groups.STILL}::test_d") == groups.STILL
    assert (
        groups.group_of("tests/server/http/request/test_reactor_handoff.py::test_c")
        == "tests/server/http/request/test_reactor_handoff.py"
    )
    assert {groups.group_of(f"tests/cluster/test_{one}.py::test_e") for one in ("cuts", "room")} == {groups.CELL}
    assert {groups.group_of(f"tests/house/test_{one}.py::test_f") for one in ("sizes", "rights")} == {groups.HOUSE}


@pytest.mark.parametrize("place", [groups.FROM, *(one for one in groups.LONGEST if one.startswith("tests/"))])
def test_what_is_named_for_its_turn_exists(place: str) -> None:
    assert (ROOT / place).exists()


def test_the_longest_groups_begin_first_and_what_starts_nothing_comes_last(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(
        'pytest_plugins = ["xdist.plugin", "tests.support.groups"]\n'
        "from tests.support import groups\n"
        'groups.LONGEST, groups.OUTSIDE = ("test_long.py", "test_gone.py"), ("test_server",)\n'
    )
    pytester.makepyfile(
        test_many="import pytest\n@pytest.mark.parametrize('n', range(9))\ndef test_m(n): pass\n",
        test_long="def test_l(): pass\n",
        test_server="def test_s(): pass\n",
    )
    done = pytester.runpytest_subprocess("-v", "-n", "1", "-W", "ignore", "-p", "no:cacheprovider")
    ended = [line for line in done.outlines if "PASSED" in line]
    assert len(ended) == 11
    assert "test_long.py" in ended[0]
    assert "test_server.py" in ended[1]


@pytest.mark.parametrize("place", sorted({*groups.OUTSIDE, *groups.THOROUGH, *groups.OTHER_STORES}))
def test_each_place_that_is_named_exists(place: str) -> None:
    assert (ROOT / place.partition("::")[0]).exists()


def test_what_starts_a_server_or_a_database_is_outside(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest('pytest_plugins = ["tests.support.groups"]\n')
    name = pytester.makepyfile(TESTS).name
    done = pytester.runpytest_subprocess("-q", "--collect-only", "-m", "not outside", "-W", "ignore")
    assert [line for line in done.outlines if "::" in line] == [f"{name}::test_alone", f"{name}::test_store[sqlite]"]


def test_a_file_without_a_quick_test_is_read_where_all_are_wanted_and_only_there(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest('pytest_plugins = ["tests.support.groups"]\n')
    file = pytester.mkdir("tests").joinpath("c")
    file.mkdir()
    file.joinpath("test_broken.py").write_text("def test_a(): pass\nraise RuntimeError('it was read')\n")
    pytester.makepyfile(test_quick="def test_b(): pass\n")
    assert pytester.runpytest_subprocess("-q", "-m", groups.QUICK, "-W", "ignore").ret == 0
    assert pytester.runpytest_subprocess("-q", "-W", "ignore").ret != 0
    makefile = (ROOT / "Makefile").read_text()
    assert f"-m '{groups.QUICK}'" in makefile
    assert f"-m '{groups.TEST}'" in makefile


EXAMPLES = """
from hypothesis import given, settings, strategies as st
from tests.support.groups import examples

tried = {"some": 0, "many": 0}

@given(st.integers())
def test_some(number):
    tried["some"] += 1

@settings(max_examples=examples(200))
@given(st.integers())
def test_many(number):
    tried["many"] += 1

def test_counts():
    assert (tried["some"], tried["many"]) == ()
"""


@pytest.mark.parametrize(("which", "share"), [(groups.QUICK, groups.SHARE), ("", 1)])
def test_only_where_quick_ones_are_wanted_a_part_of_the_examples_is_tried(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, which: str, share: int
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest('pytest_plugins = ["tests.support.groups"]\n')
    pytester.makepyfile(EXAMPLES)
    done = pytester.runpytest_subprocess("-q", "-m", which, "-W", "ignore", "-p", "no:cacheprovider")
    assert done.parseoutcomes() == {"passed": 2, "failed": 1}
    done.stdout.fnmatch_lines([f"*assert ({100 // share}, {200 // share}) == ()"])


def test_a_test_that_is_quick_starts_no_server(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="belongs to OUTSIDE"):
        Server(tmp_path)
    with pytest.raises(AssertionError, match="belongs to OUTSIDE"):
        Host(tmp_path, 1)
