"""Carry the WebSocket protocol over HTTP requests, for networks that cut WebSockets: long polling under `/api/poll`."""
