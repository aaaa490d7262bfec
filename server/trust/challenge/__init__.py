"""Challenges: made and checked for the engine, which says who is asked for one (`engine.trials`). Rule: of a session, never of an address."""
