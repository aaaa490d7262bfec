"""A running server takes up what is declared to change, and names the rest."""

from server.ops.config.setting_changes import change
from server.ops.config.setting_sources import leaves
from server.ops.config.settings import RELOADED, Settings


def made(**chosen: object) -> Settings:
    return Settings.model_validate(chosen)


def test_what_can_change_is_taken_and_what_cannot_is_named_and_left() -> None:
    present = made(server={"port": 1, "hosts": "a.example"}, limits={"find_rate": 2})
    wanted = made(
        server={"port": 2, "hosts": "b.example"}, limits={"find_rate": 3, "enabled": False}, log={"level": "error"}
    )
    found = change(present, wanted)
    assert found.taken == ["server.hosts", "limits.find_rate", "log.level"]
    assert found.restart == ["server.port", "limits.enabled"]
    assert found.settings == made(
        server={"port": 1, "hosts": "b.example"}, limits={"find_rate": 3}, log={"level": "error"}
    )
    again = change(found.settings, wanted)
    assert (again.taken, again.restart) == ([], ["server.port", "limits.enabled"])


def test_settings_that_are_the_same_change_nothing() -> None:
    present = made(store={"url": "postgresql://user:secret@host/name"})
    assert change(present, made(store={"url": "postgresql://user:secret@host/name"})) == (present, [], [])


def test_what_is_declared_to_change_is_a_setting() -> None:
    assert {name for name, _ in leaves(Settings())} >= RELOADED
