"""Sum the metrics of a host's processes.

**Invariant:** no counter falls when a process is silent or dies, because Prometheus would take a fall for a restart.
"""

from collections.abc import Mapping
from typing import Final

from server.ops.metrics.exposition import add_values
from server.ops.metrics.histogram import Buckets
from server.ops.metrics.metric_table import METRICS
from server.ops.metrics.metric_type import Metric, Reading, Series, Value

DECLARED: Final = {metric.name: metric for metric in METRICS}


class MetricSums:
    """The sums of one frontend. `begun`: when it was forked (`server.ops.metrics.resource_usage.start_ticks`), as `told` has it for the others.

    Counters of dead processes are carried on. What a process older than this frontend had counted before is left out: the sums begin with the
    frontend, as they do in a server of one process. Gauges of a dead process are dropped. A metric with a process label is that process's own.
    """

    def __init__(self, begun: int) -> None:
        self._begun = begun
        self._last: dict[str, Series] = {}
        self._carried: dict[str, dict[tuple[str, ...], Value]] = {}
        self.unknown = 0  # metrics that this release does not know, or knows with other labels

    def told(self, name: str, begun: int, said: Series) -> None:
        """Take the metrics of a process."""
        read = {metric: series for metric, series in said.items() if self._knows(metric, series)}
        self.unknown += len(said) - len(read)
        if name not in self._last and begun < self._begun:
            self._carry(read, -1)
        self._last[name] = read

    def dead(self, name: str) -> None:
        """Carry on the counters of a dead process."""
        self._carry(self._last.pop(name, {}), 1)

    def readings(self) -> list[Reading]:
        """Return the metrics of each process, and what is carried on."""
        return [*self._last.values(), self._carried]

    def _carry(self, read: Series, sign: int) -> None:
        for name, series in read.items():
            metric = DECLARED[name]
            if metric.kind == "gauge" or "process" in metric.labels:
                continue
            carried = self._carried.setdefault(name, {})
            for labels, value in series.items():
                carried[labels] = add_values(carried.get(labels), _times(value, sign))

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
