"""Check the path of an alert to a person: contacts, Alertmanager, and that Prometheus' heartbeat arrives there.

**Invariant:** it sends nothing without `send`.
"""

from __future__ import annotations

import socket

from server.main.checks.check_finding import Finding, ok, warning
from server.ops.alerts.alert_sender import NoManager, firing, send_test
from server.ops.alerts.alertmanager_config import HEARTBEAT, Unsendable, alertmanager_config
from server.ops.config.settings import Settings

HOW = "serendip help watch: Alerts that reach a person"


async def alert_path(settings: Settings, *, send: bool = False) -> list[Finding]:
    """Run the checks. `send`: send a test alert, too."""
    try:
        alertmanager_config(settings)
    except Unsendable as fault:
        return [warning("alerts", str(fault), HOW)]
    chosen = settings.alerts
    found: list[Finding] = []
    if not chosen.heartbeat.get_secret_value():
        said = "alerts.heartbeat is empty: nothing notices when Prometheus or Alertmanager dies"
        found.append(warning("alerts", said, HOW))
    try:
        beats = await firing(chosen.manager, HEARTBEAT)
        if send:
            await send_test(chosen.manager, "page", socket.gethostname())
            found.append(ok("alerts", f"a test alert was sent: it must reach {len(chosen.contacts)} contacts"))
    except NoManager as fault:
        return [*found, warning("alerts", f"Alertmanager: {fault}", "does it run? alerts.manager says where it is")]
    if not beats:
        said = (
            f"Alertmanager at {chosen.manager} has no {HEARTBEAT}: Prometheus does not reach it, or has not these rules"
        )
        return [*found, warning("alerts", said, "serendip help SerendipHeartbeat")]
    return [*found, ok("alerts", f"Prometheus' heartbeat arrives at {chosen.manager}")]
