"""Collect all metrics from their sources and serve the result to Prometheus on a separate port.

A source is a function that returns numbers by metric name; numbers of several sources are added.
**Invariant:** a name that METRICS (`metric_table`) lacks is an error, and no label holds a value from outside.
"""

import asyncio
import errno
import platform
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from server.ops import log, version
from server.ops.config import settings
from server.ops.health.readiness import Health
from server.ops.metrics.daily_top import DailyTop
from server.ops.metrics.histogram import Buckets
from server.ops.metrics.metric_table import METRICS, OLD_NAMES
from server.ops.metrics.metric_type import Metric, Reading, Source, Value
from server.ops.process.listening_sockets import Sockets
from server.ops.process.side_port import IDLE_SECONDS, SidePort
from server.ops.security import allowed_hosts

CONNECTIONS: Final = "serendip_connections"
CONNECTIONS_TOP: Final = "serendip_connections_top"
NAME = "metrics"  # among the listening sockets
SCRAPED_LATELY_S: Final = 120.0  # a scrape longer ago than this does not count as a running scraper
SCRAPED_WITHIN_S: Final = 35.0  # two scrapes of a Prometheus with an interval of 15 s

logger = log.get()


class UndeclaredMetricError(Exception):
    """A source returned a name that METRICS does not list."""


class MetricsBoard(Collector):
    """Prometheus collector of this program's numbers: reads every source at a scrape and converts the numbers."""

    def __init__(self, metrics: Iterable[Metric] = METRICS) -> None:
        self._metrics = {metric.name: metric for metric in metrics}
        self._sources: list[Source] = []
        self._apart: list[Source] = []
        self._told: list[Reading] = []
        self._gather: Callable[[], Awaitable[None]] | None = None
        self._others: list[Reading] = []
        self._top = DailyTop()

    def add(self, source: Source, *, apart: bool = False) -> None:
        """Add a source; `apart`: read it in a thread by `ask`, since it may block."""
        (self._apart if apart else self._sources).append(source)

    def add_processes(self, gather: Callable[[], Awaitable[None]]) -> None:
        """Read other processes too: `gather` fetches their numbers and passes them to `put_others`."""
        self._gather = gather

    def put_others(self, readings: list[Reading]) -> None:
        """Replace the numbers of other processes."""
        self._others = readings

    async def gather(self) -> None:
        """Fetch the numbers of other processes, if there are any."""
        if self._gather is not None:
            await self._gather()

    def ask(self) -> None:
        """Read the sources that may block. Call it in a thread, before each `collect`."""
        self._told = [source() for source in self._apart]

    def read(self) -> dict[str, dict[tuple[str, ...], Value]]:
        """Return the numbers of all sources, by name and labels. Raises UndeclaredMetricError."""
        read: dict[str, dict[tuple[str, ...], Value]] = {}
        for told in (*(source() for source in self._sources), *self._told, *self._others):
            for name, reading in told.items():
                if name not in self._metrics:
                    raise UndeclaredMetricError(name)
                series = read.setdefault(name, {})
                for labels, value in reading.items() if isinstance(reading, Mapping) else (((), reading),):
                    series[labels] = add_values(series.get(labels), value)
        now = read.get(CONNECTIONS, {}).get(())
        if isinstance(now, int | float) and CONNECTIONS_TOP in self._metrics:
            read[CONNECTIONS_TOP] = {(): self._top.note(now)}  # of the sum: those of single processes are not added
        return read

    def collect(self) -> Iterator[Family]:
        """Yield one family for each declared metric that a source returned, and one more under its old name if it has one."""
        for name, series in self.read().items():
            metric = self._metrics[name]
            yield _family(metric, series)
            if old := OLD_NAMES.get(name):
                yield _family(metric._replace(name=old, help=f"old name of {metric.shown}"), series)


def read_build() -> Reading:
    """Return version, commit and Python version, as a source; may block, the first time."""
    return {"serendip_build_info": {(version.VERSION, version.own(), platform.python_version()): 1}}


def read_log_counts() -> Reading:
    """Return the events and lines that this process's log dropped, as a source."""
    return {
        "serendip_log_undeclared": log.undeclared.total(),
        "serendip_log_dropped": log.sink().dropped,
    }


class _Collected(Collector):
    """Collector of families that were read before."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


class MetricsServer:
    """Serves GET /metrics on its own port for known Host names, and /healthz and /readyz for all.

    An orchestrator uses the IP address of a container; the health answers hold nothing about users.
    """

    def __init__(
        self, board: MetricsBoard, chosen: settings.Metrics, health: Health, sockets: Sockets | None = None
    ) -> None:
        self._board = board
        self._health = health
        self.hosts = chosen.hosts
        self._settings = chosen
        self._process = ProcessCollector(registry=None)
        self._port = SidePort(NAME, sockets)
        self._scraped: float | None = None  # time of the last answered scrape, by the loop's clock

    @property
    def port(self) -> int | None:
        """The port's number; None if it could not be opened."""
        return self._port.number

    async def start(self, *, listening: bool = True) -> None:
        """Open the port and answer; if it cannot be opened the service continues without metrics and logs it.

        Not `listening`: open the port only; connections wait for `listen`. Raises StartError for an inherited socket with another address.
        """
        host, port = self._settings.host, self._settings.port
        try:
            self._port.have(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                logger.warning("metrics.port_taken", host=host, port=port)
            else:
                logger.warning("metrics.port_failed", host=host, port=port, error=errno_name(error))
            return
        await self._port.serve(
            web.ServerRunner(
                web.Server(self._nameless, access_log=None, keepalive_timeout=IDLE_SECONDS), shutdown_timeout=1
            )
        )
        if listening:
            await self.listen()

    async def listen(self) -> None:
        """Accept connections, at first or after `pause`; does nothing if the port could not be opened."""
        if await self._port.listen():
            logger.info("metrics.ready", host=self._settings.host, port=self.port)

    async def pause(self) -> None:
        """Accept no more connections: new ones wait for `listen`, here or in the process that the socket is passed to."""
        await self._port.pause()

    async def stop(self) -> None:
        """Close the port."""
        await self._port.stop()

    async def scraped_again(self, goes_on: Callable[[], bool]) -> None:
        """Wait for the next scrape, if there was one lately; SCRAPED_WITHIN_S at most, and only while `goes_on` returns True."""
        clock = asyncio.get_running_loop().time
        begun, last = clock(), self._scraped
        if last is None or begun - last > SCRAPED_LATELY_S:
            return
        while self._scraped == last and clock() - begun < SCRAPED_WITHIN_S and goes_on():  # noqa: ASYNC110 - `goes_on` has no event
            await asyncio.sleep(0.1)

    def reading(self) -> Reading:
        """Return the connections that exceeded the port's limit, as a source of metrics."""
        return {"serendip_http_spoilt": {("crowded",): self._port.crowded}}

    async def _nameless(self, request: web.BaseRequest) -> web.Response:
        """Answer without revealing which programs and versions run here."""
        answer = await self._answer(request)
        answer.headers["Server"] = "serendip"
        return answer

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        asked = self._health.answer(request.path)
        if asked is None and not allowed_hosts.known(request.headers.get("Host"), self.hosts):
            return web.Response(status=421, text="not a name of this server\n")
        if asked is None and request.path != "/metrics":
            return web.Response(status=404, text="metrics are at /metrics\n")
        if request.method not in {"GET", "HEAD"}:
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        if asked is not None:
            return asked
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        # The process's own numbers are counted from /proc, for 20,000 descriptors in milliseconds: not in the loop.
        process = await asyncio.to_thread(self._ask)
        await self._board.gather()
        registry = CollectorRegistry(auto_describe=False)
        for collector in (self._board, _Collected(process)):
            registry.register(collector)
        self._scraped = asyncio.get_running_loop().time()
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    def _ask(self) -> list[Family]:
        self._board.ask()
        return list(self._process.collect())


def errno_name(error: OSError) -> str:
    """Return `EADDRNOTAVAIL` and the like, or the name of the error's type (for an unknown host name)."""
    return errno.errorcode.get(error.errno or 0, type(error).__name__)


def add_values(present: Value | None, value: Value) -> Value:
    """Return the sum; `present` None counts as zero."""
    if isinstance(value, Buckets):
        if not isinstance(present, Buckets):
            return value
        return Buckets([a + b for a, b in zip(present.counts, value.counts, strict=True)], present.total + value.total)
    return value + (present if isinstance(present, int | float) else 0)


def _family(metric: Metric, series: Mapping[tuple[str, ...], Value]) -> Family:
    if metric.kind == "histogram":
        bounds = [*map(str, metric.buckets), "+Inf"]
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, value in series.items():
            if isinstance(value, Buckets):
                histogram.add_metric(labels, list(zip(bounds, _heaped(value.counts), strict=True)), value.total)
        return histogram
    family = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    plain: CounterMetricFamily | GaugeMetricFamily = family(metric.name, metric.help, labels=metric.labels)
    for labels, value in series.items():
        if not isinstance(value, Buckets):
            plain.add_metric(labels, value)
    return plain


def _heaped(counts: Sequence[int]) -> Iterator[float]:
    """Yield cumulative counts of buckets."""
    heap = 0.0
    for count in counts:
        heap += count
        yield heap
