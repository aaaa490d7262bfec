"""Connect the engine to the outside: sockets, stores, providers, the page.

Rule: decides nothing that the engine decides.
"""

import os

# Pydantic looks through all installed packages for plugins that would see what it checks: we have none, and it takes time at each start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
