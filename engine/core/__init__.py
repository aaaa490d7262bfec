"""Define sessions, chats and seats as data, with their states, addresses, bus messages, ports to the server and the state that engine parts share."""
