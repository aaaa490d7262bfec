"""Translate chat lines with the operator's LibreTranslate server, for browsers that cannot translate themselves."""
