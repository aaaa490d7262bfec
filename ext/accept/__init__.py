"""Decide which new connections are accepted: HTTP request heads, WebSocket handshakes, limits per address, and the table of counts
shared by all processes of a host.
"""
