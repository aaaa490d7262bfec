"""Serve chats in real time: the worker (sockets and chat engine in one event loop), its recorder, video calls. Uses data and trust through protocols
only.
"""
