"""All walks over this program, at once. Rule: one list of findings, empty in a healthy tree (`serendip privacy check`, tests)."""

from __future__ import annotations

from pathlib import Path

from server.data.privacy import registry_check
from server.data.privacy.registry import REGISTRY
from server.data.schema import console_schema, data_request_schema, deletion_schema, moderation_schema  # noqa: F401 - their tables
from server.data.schema.chat_schema import metadata
from server.ops import log
from server.ops.metrics.metric_table import METRICS
from server.ops.security import identity_cookie

SERVER = Path(__file__).resolve().parents[2]


def findings() -> list[str]:
    """Everything that is undeclared, or declared and not there."""
    return [
        *registry_check.columns(metadata, REGISTRY),
        *registry_check.subjects(metadata, REGISTRY),
        *registry_check.cookies(
            {identity_cookie.PLAIN, identity_cookie.SECURE} | registry_check.set_cookies(SERVER), REGISTRY
        ),
        *registry_check.prefixes(SERVER, REGISTRY),
        *registry_check.log_fields(log.EVENTS, REGISTRY),
        *registry_check.metric_labels({metric.name: metric.labels for metric in METRICS}, REGISTRY),
        *registry_check.browser(registry_check.browser_keys(SERVER / "site/web"), REGISTRY),
    ]
