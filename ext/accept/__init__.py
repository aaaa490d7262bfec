"""Decide which connections are accepted: request heads, the handshake reply, limits per address, and the table that shares them between processes."""
