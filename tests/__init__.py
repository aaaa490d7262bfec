"""Tests mirror the sources; a name is a sentence; every test has a time limit."""
