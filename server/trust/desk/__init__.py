"""Decide: what a moderator does with cases, second reviews, appeals and public notices."""
