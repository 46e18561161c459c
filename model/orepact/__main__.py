"""`python -m orepact` is the command line."""

import sys

from orepact.cli import main

if __name__ == "__main__":
    sys.exit(main())
