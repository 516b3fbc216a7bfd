"""`python -m operate`, from the project's root."""

import sys

try:
    from operate.cli import main
except ModuleNotFoundError as missing:
    sys.exit(
        f"The Python package {missing.name} is missing here. Run .venv/project/bin/python -m operate in the project's "
        "folder (make venvs installs it), or first: pip install -r operate/requirements.txt"
    )
except KeyboardInterrupt:  # the imports take half a second
    print("Stopped.", file=sys.stderr)
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
