"""`python -m operate`, from the project's root."""

import sys

try:
    from operate.cli import main
except ModuleNotFoundError as missing:
    sys.exit(
        f"The Python package {missing.name} is missing here. Run .venv/project/bin/python -m operate in the project's "
        "folder (make venvs installs it), or first: pip install -r operate/requirements.txt"
    )

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
