"""Decide cases, second reviews, appeals and public notices."""
