"""Metrics of screening: what is read at the scrape is what is declared."""

from pathlib import Path

from server.ops.config.settings import Screening
from server.ops.metrics.screening_metrics import SCREENED, SCREENED_VALUES
from server.trust.screening.screening_client import Screener


def test_a_screener_s_reading_is_declared_with_its_labels(tmp_path: Path) -> None:
    screener = Screener("server", Screening(), tmp_path, lambda *_: None)
    reading = screener.reading()
    screener.close()
    names = {metric.name for metric in SCREENED}
    assert set(reading) | {"serendip_tips", "serendip_age_questions"} == names
    assert {(value,) for value in SCREENED_VALUES["serendip_findings"]["rule"]} == set(reading["serendip_findings"])  # type: ignore[arg-type]
