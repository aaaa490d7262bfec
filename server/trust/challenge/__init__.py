"""Make and check challenges (puzzles and captchas) that slow down suspicious clients; the engine decides which sessions get one
(`engine.chats.challenges`).

**Invariant:** a challenge belongs to a session, never to an IP address; captcha answers are not stored.
"""
