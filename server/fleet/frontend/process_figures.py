"""What the processes of a host said of themselves last. Rule: what was counted stays counted, whoever is silent or dies.

What somebody has now goes with them.

A sum that fell would be taken for a restart, and all of it for what happened since. So a counter of who died is carried on, and of who is
older than this office what it had counted before is left out: the sums begin with the office, as they do with a server of one process.
What is told apart by process has one owner, and is as that one says.
"""

from collections.abc import Mapping
from typing import Final

from server.ops.metrics.declaration import Metric
from server.ops.metrics.exposition import Reading, Series, Value, added
from server.ops.metrics.histogram import Buckets
from server.ops.metrics.metric_table import METRICS

DECLARED: Final = {metric.name: metric for metric in METRICS}


class Ledger:
    """Of one office. `begun`: when it was forked (`server.ops.metrics.resource_usage.begun`), as `told` says it of the others."""

    def __init__(self, begun: int) -> None:
        self._begun = begun
        self._last: dict[str, Series] = {}
        self._carried: dict[str, dict[tuple[str, ...], Value]] = {}
        self.unknown = 0  # metrics that this release does not know, or not so

    def told(self, name: str, begun: int, said: Series) -> None:
        """A process says how it stands."""
        read = {metric: series for metric, series in said.items() if self._knows(metric, series)}
        self.unknown += len(said) - len(read)
        if name not in self._last and begun < self._begun:
            self._carry(read, -1)
        self._last[name] = read

    def dead(self, name: str) -> None:
        """It is dead."""
        self._carry(self._last.pop(name, {}), 1)

    def readings(self) -> list[Reading]:
        """Sources of the board: each once, and what is carried on."""
        return [*self._last.values(), self._carried]

    def _carry(self, read: Series, sign: int) -> None:
        for name, series in read.items():
            metric = DECLARED[name]
            if metric.kind == "gauge" or "process" in metric.labels:
                continue
            carried = self._carried.setdefault(name, {})
            for labels, value in series.items():
                carried[labels] = added(carried.get(labels), _times(value, sign))

    def _knows(self, name: str, series: Mapping[tuple[str, ...], Value]) -> bool:
        metric = DECLARED.get(name)
        return metric is not None and all(_fits(metric, labels, value) for labels, value in series.items())


def _fits(metric: Metric, labels: tuple[str, ...], value: Value) -> bool:
    if len(labels) != len(metric.labels) or isinstance(value, Buckets) != (metric.kind == "histogram"):
        return False
    return not isinstance(value, Buckets) or len(value.counts) == len(metric.buckets) + 1


def _times(value: Value, sign: int) -> Value:
    if isinstance(value, Buckets):
        return Buckets([sign * count for count in value.counts], sign * value.total)
    return sign * value
