"""Run the provider process (`python -m server.trust.text_provider`); started by the server alone."""

import sys

from server.trust.text_provider.provider_process import main

sys.exit(main(sys.argv[1:]))
