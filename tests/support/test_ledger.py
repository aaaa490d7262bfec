"""Test that the ledger fails a test that leaves objects alive, and cannot become ineffective."""

import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from tests.support import ledger

ROOT = Path(__file__).resolve().parents[2]
# A module of ext that counts, as the tests of the test see it; `make` returns what lives as long as it is held.
COUNTING = """
import sys
import types
import weakref
import pytest

class Thing:
    pass

things = weakref.WeakSet()
module = types.ModuleType("ext.deep.counting")
module.alive = lambda: {"things": len(things)}
sys.modules["ext.deep.counting"] = module
held = []

def make():
    thing = Thing()
    things.add(thing)
    return thing
"""


def counting(name: str, monkeypatch: pytest.MonkeyPatch, **kinds: int) -> None:
    """Load a module that counts these."""
    module = ModuleType(name)
    module.alive = lambda: kinds  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def nothing_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """No module of ext is loaded."""
    for name in [name for name in sys.modules if name.startswith("ext.")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder whose tests stand in the ledger."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest('pytest_plugins = ["tests.support.ledger"]\n')
    return pytester


@pytest.mark.usefixtures("nothing_counted")
def test_a_kind_that_two_modules_count_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    counting("ext.net.one", monkeypatch, buffers=2, rings=1)
    counting("ext.match.deep.two", monkeypatch, buffers=3)
    counting("other.three", monkeypatch, buffers=100)
    assert ledger.alive() == {"buffers": 5, "rings": 1}


@pytest.mark.usefixtures("nothing_counted")
def test_what_is_less_of_one_kind_excuses_nothing_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    counting("ext.net.one", monkeypatch, buffers=2, rings=1)
    assert ledger.left_since(Counter(buffers=9)) == {"rings": 1}


@pytest.mark.usefixtures("nothing_counted")
def test_where_a_reactor_is_loaded_and_nothing_is_counted_the_ledger_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ledger.alive() == {}
    monkeypatch.setitem(sys.modules, ledger.COUNTED, ModuleType(ledger.COUNTED))
    with pytest.raises(ledger.Silent):
        ledger.alive()


def test_a_test_that_leaves_something_alive_fails_and_no_other(run: pytest.Pytester) -> None:
    run.makepyfile(
        COUNTING
        + """
def test_clean():
    make()

def test_leaks():
    held.append(make())

def test_after():
    pass

@pytest.mark.leaks
def test_leaks_and_says_so():
    held.append(make())
"""
    )
    done = run.runpytest_subprocess("-p", "no:cacheprovider")
    assert done.parseoutcomes() == {"passed": 4, "errors": 1, "warnings": 1}
    done.stdout.fnmatch_lines(["*ERROR at teardown of test_leaks *", "*left alive: 1 things"])


def test_garbage_in_a_circle_is_collected_before_it_is_counted(run: pytest.Pytester) -> None:
    run.makepyfile(
        COUNTING
        + """
def test_circle():
    thing = make()
    thing.self = thing
"""
    )
    assert run.runpytest_subprocess("-p", "no:cacheprovider").parseoutcomes() == {"passed": 1}


def test_what_a_wider_fixture_holds_is_no_leak_of_the_test_that_first_asks_for_it(run: pytest.Pytester) -> None:
    run.makepyfile(
        COUNTING
        + """
@pytest.fixture(scope="module")
def inner():
    return make()

@pytest.fixture(scope="session")
def wide(request):
    return [make(), make()]

@pytest.fixture(scope="module")
def outer(request):
    return [make(), request.getfixturevalue("inner")]

def test_asks(request):
    request.getfixturevalue("wide")
    request.getfixturevalue("outer")

def test_again(wide, outer):
    pass

@pytest.fixture(scope="module")
def late():
    return make()

def test_leaks_beside(request):
    held.append(make())
    request.getfixturevalue("late")
"""
    )
    done = run.runpytest_subprocess("-p", "no:cacheprovider")
    assert done.parseoutcomes() == {"passed": 3, "errors": 1}
    done.stdout.fnmatch_lines(["*ERROR at teardown of test_leaks_beside *", "*left alive: 1 things"])


def test_a_test_that_failed_is_not_blamed_for_what_its_traceback_holds(run: pytest.Pytester) -> None:
    run.makepyfile(
        COUNTING
        + """
def test_fails():
    thing = make()
    assert thing is None

def test_after():
    pass
"""
    )
    assert run.runpytest_subprocess("-p", "no:cacheprovider").parseoutcomes() == {"passed": 1, "failed": 1}


# How to leave one of each kind that the compiled modules count.
LEFT = {
    "connections": "rig = Rig(); rig.begin(); held.append(rig)",
    "buffers": "rig = Rig(); rig.begin().send(b'GET /ws'); rig.run(); held.append(rig)",
    "rings": "held.append(Rings(1 << 20).new())",
    "tickets": "matcher = Matcher(8); matcher.submit(1, matcher.pool(), (), 0, 0.0); held.append(matcher)",
    "interner entries": "words = Interner(8); held.append((words, words.intern_all(['go'], {'go': 'go'}, str)))",
}


@pytest.mark.parametrize("kind", LEFT)
def test_what_a_test_leaves_of_the_compiled_modules_fails_it(run: pytest.Pytester, kind: str) -> None:
    run.makepyfile(f"""
from ext.match.interner import Interner
from ext.match.matcher import Matcher
from ext.net.chat_ring import Rings
from tests.ext.net.rig import Rig

held = []

def test_leaks():
    {LEFT[kind]}
""")
    done = run.runpytest_subprocess("-p", "no:cacheprovider")
    assert done.parseoutcomes() == {"passed": 1, "errors": 1}
    done.stdout.fnmatch_lines([f"*left alive: *1 {kind}*"])
