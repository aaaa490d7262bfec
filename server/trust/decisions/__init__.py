"""Decide cases, second reviews, appeals and public notices, as moderators do in the console and on the command line."""
