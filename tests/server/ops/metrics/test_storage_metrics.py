"""What is kept has its part of the table, and all of that part is in the table."""

from server.ops.metrics.metric_table import METRICS
from server.ops.metrics.storage_metrics import BATCH_BOUNDS, KEPT, OBJECT_BOUNDS


def test_all_that_is_kept_is_in_the_table_once() -> None:
    assert [metric.name for metric in METRICS if metric in KEPT] == [metric.name for metric in KEPT]


def test_a_time_that_is_as_long_as_the_settings_allow_has_a_bucket() -> None:
    """A request of the object store ends after `objects.timeout`, a command of PostgreSQL after 30 s."""
    assert OBJECT_BOUNDS[-2] == 5.0
    assert BATCH_BOUNDS[-1] == 30.0
    assert all(tuple(sorted(set(bounds))) == bounds for bounds in (BATCH_BOUNDS, OBJECT_BOUNDS))
