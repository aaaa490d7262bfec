"""What pages may know of the server: what it offers, and who is here."""

from types import SimpleNamespace
from typing import Any

import pytest

from engine.core.engine_histograms import EngineHistograms
from ext.accept.handshake import Judge
from server.http.request.site_services import NO_PARTS, Services, SiteParts
from server.ops.config.settings import Settings, Video
from server.ops.health.readiness import Health


def made(parts: SiteParts = NO_PARTS, **chosen: Any) -> Services:
    engine = SimpleNamespace(
        people=3,
        talking=lambda now: {"en": 2},
        room=SimpleNamespace(spy_waits=lambda now: (1.26, 0.0), spy_sizes=lambda: (2, 0)),
        measures=EngineHistograms(),
    )
    worker = SimpleNamespace(engine=engine, identities=None)
    return Services(Settings(**chosen), worker, Health(), Judge(hosts=(), origins=(), proxies=()), parts)  # type: ignore[arg-type]


def test_the_status_counts_who_is_here() -> None:
    assert made().status() == {
        "online": 3,
        "talking": {"en": 2},
        "usual": {},
        "spy": {"ask": 1.3, "discuss": 0.0, "asking": 2, "discussing": 0},
    }


@pytest.mark.parametrize(
    ("video", "found"),
    [
        (Video(enabled=False), {"modes": ["text"]}),
        (Video(), {"modes": ["text", "video"], "video": True, "relay": False}),
        (Video(turn=("turn:turn.example:3478",)), {"modes": ["text", "video"], "video": True, "relay": True}),
    ],
)
def test_what_is_not_offered_is_not_named(video: Video, found: dict[str, Any]) -> None:
    services = made(video=video)
    assert services.config() == {"grace": 15.0, "moderated": False, **found}


def test_with_a_store_saves_are_offered_and_it_has_to_be_well() -> None:
    services = made()
    statistics = SimpleNamespace(busy=None)
    store = SimpleNamespace(unwell=lambda: ["store: away"], statistics=statistics)
    services.add_store(store)  # type: ignore[arg-type]
    assert (services.config()["save"], "hours" in services.config()) == (True, False)
    statistics.busy = (18, 22)
    assert services.config()["hours"] == (18, 22)
    assert services.health.degraded() == ["store: away"]


def test_whether_somebody_reads_reports_is_asked_each_time() -> None:
    there = [False]
    services = made(SiteParts(is_moderated=lambda: there[0]))
    assert services.config()["moderated"] is False
    there[0] = True
    assert services.config()["moderated"] is True
