"""Decide cases, second reviews, appeals and public notices: the actions of moderators, in the console and on the command line."""
