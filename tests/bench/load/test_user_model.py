"""People come, like things and talk as people do, and alike for a seed."""

from bench.load.user_model import Taste, shape


def test_interests_follow_zipf_and_are_the_same_for_a_seed() -> None:
    one, two = Taste(1), Taste(1)
    found = [one.interests() for _ in range(500)]
    assert found == [two.interests() for _ in range(500)]
    first = sum("interest 0" in wish for wish in found)
    rare = sum("interest 1000" in wish for wish in found)
    assert first > 20 * max(1, rare) / 2
    assert all(1 <= len(wish) <= 10 for wish in found)


def test_the_shapes_rise_fall_and_end() -> None:
    assert [shape("rush", part, 100, 5)[0] for part in (0.0, 0.5, 0.9)] == [20, 200, 30]  # type: ignore[index]
    assert shape("storm", 0.41, 100, 5) == (0, 500)
    assert shape("storm", 0.5, 100, 5) == (100, 100)
    assert shape("steady", 1.0, 100, 5) is None
