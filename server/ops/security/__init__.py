"""Create and verify the service's secrets: keys, tokens, identity cookies, unguessable numbers.
**Invariant:** no other package does so.
"""

from ext import compiled_module_switch

compiled_module_switch.choose()
