"""Libraries without what they can do without."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from server.ops.process.optional_dependency_filter import without

ROOT = Path(__file__).parents[4]


def test_in_there_an_import_fails_and_behind_it_none_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "imported_by_nobody.py").write_text("THERE = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    with without("imported_by_nobody"), pytest.raises(ImportError):
        import_module("imported_by_nobody")
    assert import_module("imported_by_nobody").THERE


def test_what_was_imported_before_stays() -> None:
    import json

    with without("json"):
        import json as again
    assert again is json


def test_a_server_loads_nothing_that_draws_for_a_terminal_and_has_it_where_it_is_asked_for() -> None:
    drawing = "sorted({'rich', 'pygments', 'fido2', 'babel.messages.pofile'} & set(sys.modules))"
    modules = "server.main.single_process_server, server.trust.console.console_server"
    code = f"import sys, {modules}; print(*{drawing}); import rich.console, pygments.lexers"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
