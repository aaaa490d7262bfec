"""Make and check challenges for the engine, which decides who gets one (`engine.chats.challenges`): puzzles, and a captcha provider's.

**Invariant:** a challenge belongs to a session, never to an address; nothing of an answer to a captcha is kept.
"""
