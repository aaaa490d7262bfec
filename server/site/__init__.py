"""Serve the site: the page and its files, college mode, translation, Omegle's HTTP protocol. Imports realtime, trust and data."""
