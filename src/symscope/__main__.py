"""`python -m symscope` is the command `symscope`."""

import sys

from symscope.cli import main

if __name__ == "__main__":
    sys.exit(main())
