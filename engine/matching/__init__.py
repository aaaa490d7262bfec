"""The waiting rooms: who waits, for what, and who meets. Rule: nothing here knows of sessions or frames."""
