"""Run the screening process (`python -m server.trust.screening`); started by the server alone."""

import sys

from server.trust.screening.screening_process import main

sys.exit(main(sys.argv[1:]))
