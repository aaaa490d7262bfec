"""Define the class Metric, with which a metric is declared (name, kind, help, labels, buckets), and the types of the values that are read.

**Invariant:** a metric's name ends with its unit. The list of metrics is `server.ops.metrics.metric_table`.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from server.ops.metrics.histogram import Buckets

Value = float | Buckets
Series = Mapping[str, Mapping[tuple[str, ...], Value]]  # by name and labels
Reading = Mapping[str, Value | Mapping[tuple[str, ...], Value]]
Source = Callable[[], Reading]


class Metric(NamedTuple):
    """One row of the table; `name` without `_total`; `buckets` are upper bounds, without infinity."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    question: str = ""
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def shown(self) -> str:
        """The name as Prometheus shows it."""
        return self.name + ("_total" if self.kind == "counter" else "")

    @property
    def unit(self) -> str:
        """The unit: seconds, bytes, or 1 for a count."""
        return next((unit for unit in ("seconds", "bytes") if self.name.endswith(unit)), "1")
