"""What boards are made of: a panel as data, and its translation to Grafana's model.

Rule: every panel has a unit, a description that says what to think of it, and thresholds where a number means something.
"""

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphTresholdsStyleMode,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DashboardSpecialValueMapOptions,
    DataSourceRef,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
    VariableRefresh,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
HERE = 'job="serendip", instance=~"$instance"'  # every query asks for the instances that are chosen
RATE = "$__rate_interval"


class Panel(NamedTuple):
    """One picture: `queries` are (PromQL, legend); `limits` are (value, colour) from which on it is no longer of the colour `base`.

    A number that has no norm is blue: it is neither good nor bad.
    """

    title: str
    description: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    limits: tuple[tuple[float, str], ...] = ()
    base: str = "green"
    single: bool = False  # one number rather than lines
    state: bool = False  # the same, on a ground of its colour: to be seen from afar
    words: tuple[tuple[str, str], ...] = ()  # (value, what it means), in place of the number
    empty: str = "no data"  # where there is no number
    stacked: bool = False
    width: int = 8
    height: int = 8


class Alerts(NamedTuple):
    """The list of the alerts that fire or are about to, by Grafana's own panel."""

    title: str
    description: str
    width: int = 8
    height: int = 8


class Row(NamedTuple):
    """A row of the board with a title."""

    title: str
    panels: tuple[Panel | Alerts, ...]


class Board(NamedTuple):
    """A dashboard: `modes` adds the variable of modes."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    modes: bool = False


def quantiles(metric: str, more: str = "", *, of: Sequence[float] = (0.5, 0.99)) -> tuple[tuple[str, str], ...]:
    """Queries of a histogram's quantiles. `more`: further label matchers."""
    return tuple(
        (f"histogram_quantile({q}, sum by (le) (rate({metric}_bucket{{{HERE}{more}}}[{RATE}])))", f"p{q * 100:g}")
        for q in of
    )


def rate(metric: str, by: str = "", more: str = "") -> str:
    """The sum of rates of a counter, by a label where one is named."""
    inner = f"(rate({metric}{{{HERE}{more}}}[{RATE}]))"
    return f"sum by ({by}) {inner}" if by else f"sum{inner}"


def total(metric: str, by: str = "", more: str = "") -> str:
    """The sum of a gauge."""
    inner = f"({metric}{{{HERE}{more}}})"
    return f"sum by ({by}) {inner}" if by else f"sum{inner}"


def build(board: Board) -> dashboard.Dashboard:
    """The board in Grafana's model."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags(["serendip"])
        .readonly()
        .time("now-1h", "now")
        .refresh("15s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .timezone("browser")
        .link(
            dashboard.DashboardLink("Serendip")
            .type(DashboardLinkType.DASHBOARDS)
            .tags(["serendip"])
            .as_dropdown(True)
            .keep_time(True)
        )
        .annotation(_restarts())
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(_choice("instance", "Instance", "label_values(serendip_build_info, instance)"))
    )
    if board.modes:
        made = made.with_variable(_choice("mode", "Mode", "label_values(serendip_match_wait_seconds_count, mode)"))
    number = count(1)
    for row in board.rows:
        made = made.with_row(dashboard.Row(row.title).id(next(number)))
        for panel in row.panels:
            drawn = _alerts(panel) if isinstance(panel, Alerts) else _panel(panel)
            made = made.with_panel(drawn.id(next(number)))
    return made


def _choice(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .query(query)
        .datasource(SOURCE)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(True)
        .include_all(True)
        .all_value(".*")
    )


def _restarts() -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name("Restarts")
        .datasource(SOURCE)
        .enable(True)
        .icon_color("purple")
        .expr(f"changes(serendip_process_start_time_seconds{{{HERE}}}[2m]) > 0")
    )


def _panel(panel: Panel) -> stat.Panel | timeseries.Panel:
    steps = [
        Threshold(value=None, color=panel.base),
        *(Threshold(value=value, color=color) for value, color in panel.limits),
    ]
    thresholds = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    made: stat.Panel | timeseries.Panel
    if panel.single or panel.state:
        made = (
            stat.Panel()
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
            .color_mode(BigValueColorMode.BACKGROUND if panel.state else BigValueColorMode.VALUE)
            .graph_mode(BigValueGraphMode.NONE if panel.state else BigValueGraphMode.AREA)
            .no_value(panel.empty)
            .mappings(_words(panel))
        )
    else:
        made = (
            timeseries.Panel()
            .fill_opacity(30 if panel.stacked else 8)
            .line_width(1)
            .min(0)
            .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        )
        if panel.stacked:
            made = made.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
        if panel.limits:
            made = made.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED))
    made = (
        made.title(panel.title)
        .description(panel.description)
        .unit(panel.unit)
        .datasource(SOURCE)
        .thresholds(thresholds)
        .span(panel.width)
        .height(panel.height)
    )
    for number, (expression, legend) in enumerate(panel.queries):
        made = made.with_target(
            prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + number)).range()
        )
    return made


def _words(panel: Panel) -> list[ValueMapping]:
    """What numbers mean; that there is none is grey, neither good nor bad."""
    meant = {value: ValueMappingResult(text=text, index=index) for index, (value, text) in enumerate(panel.words)}
    none = ValueMappingResult(text=panel.empty, color="text", index=len(meant))
    special = SpecialValueMap(DashboardSpecialValueMapOptions(match=SpecialValueMatch.NULL_AND_NAN, result=none))
    return [*([ValueMap(meant)] if meant else []), special]


def _alerts(panel: Alerts) -> dashboard.Panel:
    return (
        dashboard.Panel()
        .type("alertlist")
        .title(panel.title)
        .description(panel.description)
        .span(panel.width)
        .height(panel.height)
        .options(
            {
                "viewMode": "list", "groupMode": "default", "groupBy": [], "maxItems": 20, "sortOrder": 3, "alertName": "Serendip",
                "dashboardAlerts": False, "alertInstanceLabelFilter": '{severity=~"page|ticket"}', "datasource": "${datasource}",
                "stateFilter": {"firing": True, "pending": True, "noData": False, "normal": False, "error": True, "recovering": True},
            }
        )
    )  # fmt: skip


__all__ = ["Alerts", "Board", "Panel", "Row", "build", "quantiles", "rate", "total"]
