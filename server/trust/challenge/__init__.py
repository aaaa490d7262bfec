"""Challenges: made and checked for the engine, which says who is asked for one (`engine.chats.challenges`). Rule: of a session, never of an
address."""
