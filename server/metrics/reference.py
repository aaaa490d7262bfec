"""Every metric of the service: name, type, unit, labels, meaning, and the operator's question that it answers.

Rule: what is not in METRICS is not shown. No label holds anything from outside: the values of each are listed beside its
rows (server/metrics/measured/) or in the code that counts. `python -m server.metrics.table > docs/metrics.md` makes the manual's
page; a test keeps it equal.
"""

from server.metrics.measured import chats, kept, people, wire
from server.metrics.metric import Metric

METRICS: tuple[Metric, ...] = (*people.METRICS, *chats.METRICS, *wire.METRICS, *kept.METRICS)

# The values of each label, by metric; what is not here is listed by its type (build_info) or by the engine's tables.
VALUES = {**people.VALUES, **chats.VALUES, **wire.VALUES, **kept.VALUES}

HEAD = """\
# Metrics

Made from `server/metrics/measured/` by `python -m server.metrics.table`; a test keeps it equal.

`GET /metrics` on a port of its own (`metrics.port`, 9464), in Prometheus' text or OpenMetrics' form. What happens on the
hot path is counted in C by plain additions and read at the scrape; a message costs the additions and one look at the clock
a read. No label holds anything from outside. The process's own numbers (`process_*`) stand beside these.
`python -m bench instructions` shows what counting costs a message.
"""


def markdown() -> str:
    """The page: one row a metric."""
    rows = [
        f"| `{metric.shown}` | {metric.kind} | {metric.unit} | {_labels(metric)} | {metric.help} | {metric.question} |\n"
        for metric in METRICS
    ]
    bounds = [
        f"- `{metric.name}`: {', '.join(f'{bound:g}' for bound in metric.buckets)}\n"
        for metric in METRICS
        if metric.buckets
    ]
    return "".join(
        [
            HEAD,
            "\n| name | type | unit | labels | meaning | question |\n| --- | --- | --- | --- | --- | --- |\n",
            *rows,
            "\nUpper bounds of the buckets:\n\n",
            *bounds,
            "\nValues of the labels:\n\n",
            *(
                f"- `{name}` {label}: {', '.join(values)}\n"
                for name, labels in VALUES.items()
                for label, values in labels.items()
            ),
        ]
    )


def _labels(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels) or "none"


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
