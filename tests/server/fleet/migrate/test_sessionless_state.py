"""What is beside sessions: limits that were used up go on; a piece for a part that is not here is passed over."""

import time

from server.fleet.migrate.sessionless_state import COLLEGE, DIGESTS, NOTICES, OMEGLE, SPENT, take
from server.ops.security.secret_keys import Keys
from server.ops.security.token_buckets import Buckets
from tests.server.fleet.migrate.rig import Pair, pair

GUESSES = "guesses"


def used_up(made: Pair) -> tuple[Buckets, Buckets]:
    """Of both sides, where somebody has nothing left at the old one."""
    old, new = (side.spent.add(GUESSES, Buckets(5, 0.001)) for side in (made.old, made.new))
    old.take("192.0.2.0/24", time.monotonic(), 5)
    return old, new


async def test_pieces_of_parts_that_are_not_here_are_passed_over(secret: Keys) -> None:
    async with pair(secret) as made:
        for what in (COLLEGE, OMEGLE, DIGESTS, NOTICES, "newer"):
            take(made.new.has, what, {}, [])
        take(made.new.has, SPENT, {"limit": "newer", "spent": []}, [])


async def test_who_has_used_up_a_limit_gets_no_fresh_one_by_a_hand_over(secret: Keys) -> None:
    async with pair(secret) as made:
        old, new = used_up(made)
        await made.hand_over()
        assert new.wait("192.0.2.0/24", time.monotonic()) > 0
        assert len(old) == 0


async def test_what_was_used_up_is_here_again_where_nobody_took_it(secret: Keys) -> None:
    async with pair(secret) as made:
        old, _ = used_up(made)
        faces = made.leaving._faces
        await faces.first()
        assert len(old) == 0
        made.leaving._flight.dead()
        assert old.wait("192.0.2.0/24", time.monotonic()) > 0
