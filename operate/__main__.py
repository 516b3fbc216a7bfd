"""`python -m operate`, from the project's root."""

import sys

from operate.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
