"""`python -m server.safety.pictures`: started by the server alone."""

import sys

from server.safety.pictures.process import main

sys.exit(main(sys.argv[1:]))
