"""Measure the page as a first visitor gets it, in a browser slowed down to a phone and its network."""
