"""Count what people do and say what follows: friction, rates, age answers, pauses, camera verdicts. Pure tables, bounded, in memory."""
