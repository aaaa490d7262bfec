"""One line of the table of metrics. Rule: what a metric is called says its unit."""

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """One line of the table; `name` without `_total`; `buckets` are upper bounds, without infinity."""

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
        """Seconds, bytes, or a count of the things that the name says."""
        return next((unit for unit in ("seconds", "bytes") if self.name.endswith(unit)), "1")
