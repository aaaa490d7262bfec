"""One row of the table of metrics, and the bounds and values that several rows share."""

from typing import Literal, NamedTuple

LAG_BOUNDS = (0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1.0)  # seconds; uvloop's own resolution is 1 ms
# Languages with a series of their own; others are one, "other", and `*` is "any": cardinality has a bound.
LANGUAGES = (
    "any",
    "ar",
    "de",
    "en",
    "es",
    "fr",
    "hi",
    "id",
    "it",
    "ja",
    "ko",
    "nl",
    "pl",
    "pt",
    "ru",
    "tr",
    "uk",
    "vi",
    "zh",
    "other",
)


class Metric(NamedTuple):
    """One line of the table; `name` without `_total`; `buckets` are upper bounds, without infinity."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    question: str = ""

    @property
    def shown(self) -> str:
        """The name as Prometheus shows it."""
        return self.name + ("_total" if self.kind == "counter" else "")

    @property
    def unit(self) -> str:
        """Seconds, bytes, or a count of the things that the name says."""
        return next((unit for unit in ("seconds", "bytes") if self.name.endswith(unit)), "1")
