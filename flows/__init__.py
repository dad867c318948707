"""The flows, one file a deployment, and the command line that runs them by hand."""

import os

# Nothing of ours calls out: Prefect reads these when it is first imported.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
