"""Define the engine's data: sessions, chats and their states, the messages between sessions, shared state, and the ports to the server."""
