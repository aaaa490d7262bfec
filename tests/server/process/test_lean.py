"""Libraries without what they can do without."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.process.lean import without

ROOT = Path(__file__).parents[3]


def test_in_there_an_import_fails_and_behind_it_none_does() -> None:
    with without("xml.dom.minicompat"), pytest.raises(ImportError):
        import xml.dom.minicompat
    import xml.dom.minicompat

    assert xml.dom.minicompat.NodeList


def test_what_was_imported_before_stays() -> None:
    import json

    with without("json"):
        import json as again
    assert again is json


def test_a_server_loads_nothing_that_draws_for_a_terminal_and_has_it_where_it_is_asked_for() -> None:
    drawing = "sorted({'rich', 'pygments', 'fido2', 'babel.messages.pofile'} & set(sys.modules))"
    code = f"import sys, server.main, server.console.service; print(*{drawing}); import rich.console, pygments.lexers"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
