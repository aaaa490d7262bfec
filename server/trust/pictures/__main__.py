"""Run the picture process (`python -m server.trust.pictures`); started by the server alone."""

import sys

from server.trust.pictures.picture_process import main

sys.exit(main(sys.argv[1:]))
