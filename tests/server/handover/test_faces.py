"""What is beside sessions: a piece for a part that is not here is passed over."""

from server.handover.faces import COLLEGE, DIGESTS, NOTICES, OMEGLE, take
from server.security.keys import Keys
from tests.server.handover.rig import pair


async def test_pieces_of_parts_that_are_not_here_are_passed_over(secret: Keys) -> None:
    async with pair(secret) as made:
        for what in (COLLEGE, OMEGLE, DIGESTS, NOTICES, "newer"):
            take(made.new.has, what, {}, [])
