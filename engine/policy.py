"""The numbers that are rules, each with its reason; what a deployment may choose stands in `Settings`.

Units are in the names' comments. The thresholds of matching stand in `thresholds`, the memory of rings in `ext.net.ring`,
the rates of messages and signals in the reactor, which counts them.
"""

from dataclasses import dataclass
from typing import Final

# Bounds of a client's frame, all from protocol.md ("Client to server").
TEXT_MAX: Final = 2_000  # code points of a message
ID_MAX: Final = 64  # bytes in UTF-8: room for a UUID and a prefix
INTERESTS_MAX: Final = 32  # more than anyone types; the index pays for each
INTEREST_MAX: Final = 64  # code points after normalisation
INTEREST_RAW_MAX: Final = 256  # code points as typed: NFKC and white space may shrink them to INTEREST_MAX
LANGUAGE_MAX: Final = 35  # RFC 5646, 4.4.1: the longest tag that must be supported
QUESTION_MIN: Final = 10  # code points: a shorter one is no question to discuss
QUESTION_MAX: Final = 200  # as Omegle had it
NOTE_MAX: Final = 1_000  # code points of a report's note
TOKEN_MAX: Final = 1_024  # characters: a resume token holds a key, an identity and a time
PROOF_MAX: Final = 2_048  # characters: a college proof holds a domain of up to 253 and a signature
CHAT_MAX: Final = 64  # characters of a chat's id; ours have 16
SDP_MAX: Final = 32 * 1024  # bytes of a description; browsers' have 2 to 8 KiB
CANDIDATE_MAX: Final = 2 * 1024  # bytes of a candidate; browsers' have 100 to 400
SOLUTION_MAX: Final = 8 * 1024  # characters; Turnstile's are up to 2,048, ALTCHA's about 400

# Rule 10: finds.
FIND_BURST: Final = 10  # an impatient person's presses
FIND_INTERVAL: Final = 1.0  # seconds between finds in the long run

# Rule 7: not the same two again.
RECENT_PARTNERS: Final = 4  # of either side
RECENT_FOR: Final = 600  # seconds
REPORTED_FOR: Final = 86_400  # seconds: "not paired again for a day"
REPORTED_PARTNERS: Final = 16  # reports of one person that bar at once; the oldest goes first
PERSONS_MAX: Final = 100_000  # remembered persons; 600 s at 80 chats a second before the oldest are forgotten early

# After a chat.
PAST_FOR: Final = 600.0  # seconds in which the last chat can still be saved or reported

# Connections.
FLOOD_RETRY_AFTER: Final = 10.0  # seconds that a flooding client is to stay away
EXPIRIES_A_TICK: Final = 500  # sessions ended in one tick: under 5 ms, so that others' messages do not wait
# Searches that take a step in one tick: under 5 ms, and what they are told is sent before the next ones are looked at. Where the
# pace grows, those who came first and those who came later are due at one time.
STEPS_A_TICK: Final = 500
LANGUAGES_MAX: Final = 64  # languages of waiting people that a `*` ticket searches, the newest first
QUESTION_AGAIN_AFTER: Final = 8.0  # seconds that two wait for an asker before they get a question asked before
SPY_SCAN_MAX: Final = 16  # second discussers looked at for one question: the queue's head decides, not its length


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator chooses about sessions and chats."""

    grace: float = 15.0  # seconds in which a dropped connection may come back; 0: none
    require_adult: bool = False  # `find` needs `adult: true`
    find_burst: int = FIND_BURST  # finds at once, a person
    find_interval: float = FIND_INTERVAL  # seconds between finds in the long run
    limits: bool = True  # False lifts the verdicts of rate limits and the challenges (rule 10)
    video: bool = True  # video chats are offered
    turn: bool = False  # a TURN server is configured, so `relay` can be promised
    node: int = 0  # this node's number in an address
    worker: int = 0  # this worker's number in an address
