"""What the server may see of the engine is there, and cannot be set through a view."""

import pytest

from engine.core.chat import Chat, Seat
from engine.core.engine_histograms import Histogram
from engine.core.session import Session
from engine.views import ChatView, HistogramView, SeatView, SessionView

VIEWS = [(ChatView, Chat), (SeatView, Seat), (SessionView, Session), (HistogramView, Histogram)]


def seen(view: type) -> dict[str, property]:
    """What a view shows."""
    return {name: value for name, value in vars(view).items() if isinstance(value, property)}


@pytest.mark.parametrize(("view", "shown"), VIEWS)
def test_a_view_shows_what_there_is(view: type, shown: type) -> None:
    assert seen(view)
    assert {name for name in seen(view) if not hasattr(shown, name)} == set()


@pytest.mark.parametrize(("view", "shown"), VIEWS)
def test_a_view_has_nothing_to_set_or_to_call(view: type, shown: type) -> None:
    assert {name for name, value in seen(view).items() if value.fset is not None} == set()
    assert {name for name, value in vars(view).items() if callable(value) and not name.startswith("_")} == set()
