"""All walks over this program, at once. Rule: one list of findings, empty in a healthy tree (`serendip privacy check`, tests)."""

from __future__ import annotations

from pathlib import Path

from server import log
from server.metrics.table import METRICS
from server.privacy import walk
from server.privacy.registry import REGISTRY
from server.security import identity
from server.store import console_schema, requests_schema, rights_schema, safety_schema  # noqa: F401 - their tables
from server.store.schema import metadata

SERVER = Path(__file__).resolve().parents[1]


def findings() -> list[str]:
    """Everything that is undeclared, or declared and not there."""
    return [
        *walk.columns(metadata, REGISTRY),
        *walk.subjects(metadata, REGISTRY),
        *walk.cookies({identity.PLAIN, identity.SECURE} | walk.set_cookies(SERVER), REGISTRY),
        *walk.prefixes(SERVER, REGISTRY),
        *walk.log_fields(log.EVENTS, REGISTRY),
        *walk.metric_labels({metric.name: metric.labels for metric in METRICS}, REGISTRY),
        *walk.browser(walk.browser_keys(SERVER / "web"), REGISTRY),
    ]
