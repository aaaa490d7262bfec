"""`python -m server.safety.screening`: started by the server alone."""

import sys

from server.safety.screening.process import main

sys.exit(main(sys.argv[1:]))
