"""`python -m bird_backend …`."""

import sys

from bird_backend.cli import main

sys.exit(main())
