"""The command line of the person who runs a deployed stack; never part of what runs in Lambda."""

import sys
from pathlib import Path

# The functions' package is deployed, not installed: from the project's root nothing else would find it.
_FUNCTIONS = str(Path(__file__).resolve().parent.parent / "functions")
if _FUNCTIONS not in sys.path:
    sys.path.append(_FUNCTIONS)
