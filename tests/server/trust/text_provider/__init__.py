"""Test the provider of text."""
