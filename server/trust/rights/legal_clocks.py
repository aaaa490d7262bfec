"""Count the orders of authorities, the open incidents and the reviews of emergencies, for metrics, alerts and the page's banner.

**Invariant:** nothing here changes an order or an incident.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from server.data.store.store_runner import Parts
from server.ops.metrics.metric_type import Reading
from server.trust.data_requests.rights_ports import Incident
from server.trust.legal_orders.law_orders import STATES, LawOrders
from server.trust.moderators import emergency_reviews
from server.trust.moderators.emergency_reviews import EmergencyReviews
from server.trust.rights.incidents import Incidents


class LegalClocks:
    """The clocks that a law or a court sets. `clock`: Unix seconds. `incident`: what the page's banner says, or None."""

    def __init__(self, parts: Parts, clock: Callable[[], float] = time.time) -> None:
        self._orders = LawOrders(parts.database, parts.pseudonyms, clock)
        self._incidents = Incidents(parts.database, clock)
        self._reviews = EmergencyReviews(parts.database, clock)
        self.incident: dict[str, Any] | None = None
        self._published: Sequence[Incident] | None = None
        self._counts: dict[str, int] = {}
        self._gags = 0
        self._reviewed: dict[str, int] = {}
        self._dues: dict[str, int | None] = {}

    async def look(self) -> None:
        """Read orders, incidents and reviews. Raises StoreAway."""
        self._counts, order_due, self._gags, gag_end = await self._orders.counts()
        self.incident, notify_by = await self._incidents.current()
        self._published = await self._incidents.listed()
        self._reviewed, review_by = await self._reviews.counts()
        self._dues = {
            "order_due": order_due,
            "order_gag_end": gag_end,
            "incident_due": notify_by,
            "emergency_review_due": review_by,
        }

    async def published(self) -> Sequence[Incident]:
        """Return all incidents as of the last look, newest first: readers of the page cost the database nothing. Raises StoreAway."""
        if self._published is None:
            self._published = await self._incidents.listed()
        return self._published

    def reading(self, now: float) -> Reading:
        """Return the values of the metrics."""
        return {
            "serendip_orders": {(state,): self._counts.get(state, 0) for state in STATES},
            "serendip_order_gags_ended": self._gags,
            "serendip_emergency_reviews": {
                (state,): self._reviewed.get(state, 0) for state in emergency_reviews.STATES
            },
            **{f"serendip_{name}_seconds": due - now for name, due in self._dues.items() if due is not None},
        }
