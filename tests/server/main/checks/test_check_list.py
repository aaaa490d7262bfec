"""One list of checks: the doctor runs what `check` runs, and more."""

from pathlib import Path

from server.main.checks.check_list import CHECKS, Place, Surroundings, findings
from server.ops.config.settings import Settings


async def test_a_later_place_runs_what_an_earlier_one_does(tmp_path: Path) -> None:
    around = Surroundings(Settings.model_validate({"data": tmp_path, "metrics": {"enabled": False}}), None, None, False)
    start, check, doctor = [[one.check for one in await findings(place, around)] for place in Place]
    assert start == check[: len(start)] == doctor[: len(start)]
    assert {"kernel", "clock", "disk", "alerts", "server"} <= set(doctor) - set(check)


def test_the_list_is_in_the_order_of_places() -> None:
    assert [check.place for check in CHECKS] == sorted(check.place for check in CHECKS)
