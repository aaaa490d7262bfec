"""Serve the web site: the page and its files, college mode, translation of lines, and Omegle's HTTP protocol. Imports realtime, trust and data."""
