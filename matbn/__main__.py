"""Let `python -m matbn` do what `matbn` does."""

import sys

from matbn.cli import main

sys.exit(main())
