"""Make several hosts one service: membership, the shared waiting room, keys that all hosts have, HTTP requests that another host answers.

**Invariant:** a message of another host is accepted only if it is sealed with the service's secret.
"""

from ext import compiled_module_switch

compiled_module_switch.choose()
