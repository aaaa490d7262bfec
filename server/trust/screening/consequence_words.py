"""Say in words, for operators, what follows from a detection: for `serendip safety rules try`, and the table of the manual.

**Invariant:** the words are made of the table `engine.conduct.detection_consequences` alone, by which the engine acts.
"""

from engine.conduct.detection_consequences import Consequence


def words_of(follows: Consequence) -> str:
    """Return a consequence in words: tips, a question, and from how many chats of a day more follows."""
    parts = [
        f"tip {tip} to the {side}" for tip, side in ((follows.writer, "writer"), (follows.receiver, "receiver")) if tip
    ]
    if follows.asks:
        parts.append(
            "the chat is held until the writer answers"
            if follows.holds
            else "the writer is asked, and nothing waits for the answer"
        )
    if follows.points:
        parts.append("counts for challenges")
    if follows.friction:
        parts.append(f"a challenge from chat {follows.friction} of a day")
    if follows.case:
        parts.append(f"a case from chat {follows.case} of a day")
    if follows.repeats:
        parts.append("a second such line of the chat counts as one of high confidence")
    if follows.further:
        parts.append(follows.further)
    return ", ".join(parts) or "counted"
