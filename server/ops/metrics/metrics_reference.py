"""Render the reference page of all metrics: `python -m server.ops.metrics.metrics_reference > docs/metrics.md`; a test compares page and code."""

from server.ops.metrics.metric_table import METRICS, VALUES
from server.ops.metrics.metric_type import Metric

HEAD = """\
# Metrics

Made from `server/ops/metrics/metric_table.py` by `python -m server.ops.metrics.metrics_reference`; a test keeps it equal.

`GET /metrics` on a port of its own (`metrics.port`, 9464), in Prometheus' text or OpenMetrics' form. What happens on the
hot path is counted in C by plain additions and read at the scrape; a message costs the additions and one look at the clock
a read. No label holds anything from outside. The process's own numbers (`process_*`) stand beside these.

With several workers (`SERENDIP_WORKERS`) there is one such port too: the frontend asks the others at the scrape, who have half a second
for an answer. A metric with the label `process` is told apart by process: `supervisor`, `hub`, `frontend`, `worker 1` to `worker 64`, or
`server` where one does all. Every other is the sum over the host, and means with several processes what it means with one: who is silent
counts as it did last, and a counter of who died is carried on. `process_*` are then the frontend's; `serendip_process_*` are each one's.

`python -m bench instructions` shows what counting costs a message.
"""


def markdown() -> str:
    """Return the page as Markdown: one row per metric."""
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
