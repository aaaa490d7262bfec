"""A line in another language, for browsers that cannot translate it by themselves: asked of the operator's LibreTranslate, where one is set."""
