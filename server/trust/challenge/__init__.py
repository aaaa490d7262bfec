"""Make and check challenges for the engine, which decides who gets one (`engine.chats.challenges`).

**Invariant:** a challenge belongs to a session, never to an address.
"""
