"""Metrics of pictures: what is read at the scrape is what is declared."""

from pathlib import Path

from server.ops.config.settings import Settings
from server.ops.metrics.histogram import Buckets
from server.ops.metrics.picture_metrics import PICTURE_BOUNDS, PICTURED
from server.trust.pictures.picture_check_service import Pictures


def test_a_reading_of_the_server_s_side_is_declared_with_its_labels(tmp_path: Path) -> None:
    reading = Pictures("server", Settings(data=tmp_path), bool, lambda *_: None).reading()
    told_by_the_engine = {"serendip_snaps", "serendip_snap_agreement", "serendip_veils", "serendip_sent_pictures"}
    of_sent_ones = {"serendip_sent_pictures_bytes", "serendip_sent_pictures_taken"}  # `SentPictures`
    told_by_others = {*told_by_the_engine, *of_sent_ones, "serendip_omegle_uploads"}
    assert set(reading) == {metric.name for metric in PICTURED} - told_by_others
    for metric in PICTURED:
        if metric.name in told_by_others:
            continue
        value = reading[metric.name]
        assert (
            all(len(labels) == len(metric.labels) for labels in value) if isinstance(value, dict) else not metric.labels
        )
        assert isinstance(value, Buckets) == (metric.kind == "histogram")
    seconds = reading["serendip_picture_seconds"]
    assert isinstance(seconds, Buckets)
    assert len(seconds.counts) == len(PICTURE_BOUNDS) + 1
