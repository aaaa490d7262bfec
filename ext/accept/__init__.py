"""Decide who may connect: request heads, the reply to a handshake, limits of an address, the census of a host."""
