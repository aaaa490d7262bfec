"""Hold sessions and chats as data: states, seats, addresses, bus messages, ports to the outside, and what the parts of the engine share."""
