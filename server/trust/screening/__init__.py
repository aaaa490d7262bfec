"""Screen the text of chat lines after their delivery, in a process of its own, and report which rules match.

`screening_client` is the server's side: it starts the process and receives its detections. All other modules run in that process.

**Invariant:** the process has no database, no key and no file to write; no text of a line leaves it.
"""

from ext import compiled_module_switch

compiled_module_switch.choose()
