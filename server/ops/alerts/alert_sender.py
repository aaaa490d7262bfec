"""Send one alert to Alertmanager and ask which it has, to try the path from here to an operator.

**Invariant:** a test alert ends by itself after LASTS_S seconds.
"""

from __future__ import annotations

import datetime
from typing import Any, Final, Literal

import aiohttp

TEST: Final = "SerendipTest"
LASTS_S: Final = 120.0
PATIENCE_S: Final = 5.0


class NoManager(Exception):
    """Alertmanager does not answer, or not as Alertmanager does; the text says how."""


async def send_test(manager: str, severity: Literal["page", "ticket"], host: str) -> None:
    """Hand a test alert to Alertmanager at the address `manager`. Raises NoManager."""
    now = datetime.datetime.now(datetime.UTC)
    alert = {
        "labels": {
            "alertname": TEST,
            "severity": severity,
            "instance": host,
            "job": "serendip",
            "sent": f"{now:%H:%M:%S.%f}",  # so that a second test is another alert
        },
        "annotations": {"summary": "a test of the path from the service to you: nothing is wrong"},
        "startsAt": now.isoformat(),
        "endsAt": (now + datetime.timedelta(seconds=LASTS_S)).isoformat(),
    }
    await _asked("POST", f"{manager}/api/v2/alerts", json=[alert])


async def firing(manager: str, name: str) -> bool:
    """Whether Alertmanager has an alert of this name now. Raises NoManager."""
    found = await _asked("GET", f"{manager}/api/v2/alerts", params={"filter": f'alertname="{name}"', "active": "true"})
    if not isinstance(found, list):
        raise NoManager(f"{manager}: answers as no Alertmanager does")
    return bool(found)


async def _asked(method: str, url: str, **words: Any) -> Any:
    """Return the JSON of an answer, None for an empty one."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_S)) as http,
            http.request(method, url, allow_redirects=False, **words) as answer,
        ):
            if answer.status != 200:
                raise NoManager(f"{url}: status {answer.status}")
            return await answer.json() if await answer.read() else None
    except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
        raise NoManager(f"{url}: {str(fault) or type(fault).__name__}") from None
