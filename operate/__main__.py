"""`bigin-archive`, and `python -m operate` from the project's root."""

import sys


def run() -> int:
    """Run the command of this process's arguments; returns its exit status."""
    try:
        from operate.cli import main

        return main(sys.argv[1:])
    except ModuleNotFoundError as missing:
        print(
            f"The Python package {missing.name} is missing here. Run make venvs in the project's folder and then "
            ".venv/project/bin/bigin-archive, or install the command: pipx install .",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:  # Ctrl-C before a command began
        print("Stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(run())
