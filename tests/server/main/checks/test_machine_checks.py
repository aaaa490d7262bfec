"""The machine's settings, as files of /proc and /sys say them."""

import os
from pathlib import Path

import pytest

from server.main.checks import machine_checks
from server.main.checks.check_finding import Level
from server.main.checks.machine_checks import disk, kernel, machine
from server.ops.config.settings import Settings

WELL = {
    "proc/sys/net/core/somaxconn": "4096",
    "proc/sys/net/ipv4/tcp_max_syn_backlog": "4096",
    "proc/sys/net/ipv4/ip_local_port_range": "1024\t65535",
    "proc/sys/net/netfilter/nf_conntrack_count": "100",
    "proc/sys/net/netfilter/nf_conntrack_max": "262144",
    "proc/sys/fs/file-nr": "2000\t0\t1000000",
    "proc/swaps": "Filename Type Size",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
}


def written(folder: Path, **changed: str) -> tuple[Path, Path]:
    for name, text in {**WELL, **{key.replace("__", "/"): value for key, value in changed.items()}}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + "\n")
    return folder / "proc", folder / "sys"


def test_a_machine_that_is_well_has_no_finding_and_one_that_shows_nothing_neither(tmp_path: Path) -> None:
    assert list(kernel(*written(tmp_path))) == []
    assert list(kernel(tmp_path / "no", tmp_path / "no")) == []


@pytest.mark.parametrize(
    ("name", "value", "said", "level"),
    [
        ("proc/sys/net/core/somaxconn", "128", "net.core.somaxconn is 128", Level.WARNING),
        ("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999", "32768 to 60999", Level.WARNING),
        ("proc/sys/net/netfilter/nf_conntrack_count", "200000", "200000 of 262144", Level.WARNING),
        ("proc/sys/net/netfilter/nf_conntrack_count", "262000", "262000 of 262144", Level.ERROR),
        ("proc/sys/fs/file-nr", "800000\t0\t1000000", "800000 of 1000000 open files", Level.WARNING),
        ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never", "huge pages", Level.OK),
        ("proc/swaps", "Filename Type Size\n/dev/sda2 partition 1", "swaps", Level.OK),
    ],
)
def test_each_setting_that_hurts_is_named_with_its_remedy(
    name: str, value: str, said: str, level: Level, tmp_path: Path
) -> None:
    (found,) = kernel(*written(tmp_path, **{name: value}))
    assert said in found.said
    assert (found.level, bool(found.remedy)) == (level, True)


def test_a_disk_without_inodes_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = os.statvfs_result((4096, 4096, 1000, 50, 50, 1000, 10, 10, 0, 255))
    monkeypatch.setattr(machine_checks.os, "statvfs", lambda _: seen)
    assert [one.said.partition(" at ")[0] for one in disk(tmp_path)] == ["5 % are free", "1 % of the inodes are free"]


@pytest.mark.parametrize(
    ("free", "level", "entry"),
    [(99, Level.WARNING, "SerendipDiskFilling"), (29, Level.ERROR, "SerendipDiskFull")],
)
def test_a_disk_is_named_with_the_entry_of_the_alert_that_fires(
    free: int, level: Level, entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = os.statvfs_result((4096, 4096, 1000, free, free, 1000, 900, 900, 0, 255))
    monkeypatch.setattr(machine_checks.os, "statvfs", lambda _: seen)
    (found,) = disk(tmp_path)
    assert (found.level, found.remedy) == (level, f"serendip help {entry}")


def test_this_machine_is_looked_at_without_a_fault(tmp_path: Path) -> None:
    assert {one.check for one in machine(Settings(data=tmp_path))} == {"kernel", "clock", "disk"}
