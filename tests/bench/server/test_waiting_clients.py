"""What a million asks of the kernel is known before anybody comes."""

from bench.server import waiting_clients


def test_a_kernel_that_is_too_small_is_named_before_anybody_comes() -> None:
    assert waiting_clients.obstacles(100) == []
    found = waiting_clients.obstacles(10**12)
    assert found[0].startswith("fs.file-max is ")
    assert found[0].endswith("2,000,000,000,000 are needed")
