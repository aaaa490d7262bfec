"""Tests of long polling."""
