"""Metrics of pictures: what is read at the scrape is what is declared."""

from pathlib import Path

from server.config.pictures import Pictures
from server.metrics.histogram import Buckets
from server.metrics.pictured import PICTURE_BOUNDS, PICTURED
from server.safety.pictures.judging import Judging


def test_a_reading_of_the_server_s_side_is_declared_with_its_labels(tmp_path: Path) -> None:
    reading = Judging("server", Pictures(), tmp_path).reading()
    assert set(reading) == {metric.name for metric in PICTURED}
    for metric in PICTURED:
        value = reading[metric.name]
        assert (
            all(len(labels) == len(metric.labels) for labels in value) if isinstance(value, dict) else not metric.labels
        )
        assert isinstance(value, Buckets) == (metric.kind == "histogram")
    seconds = reading["serendip_picture_seconds"]
    assert isinstance(seconds, Buckets)
    assert len(seconds.counts) == len(PICTURE_BOUNDS) + 1
