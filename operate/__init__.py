"""The command line of the person who runs a deployed stack. Nothing of it runs in Lambda.

Start with ``cli``, then ``commands``. A package imports only packages below it: commands, fleet, doctor, the features,
stack, and at the bottom terminal, local_files and errors.
"""

import sys
from pathlib import Path

# The package of the functions is deployed, not installed, so Python has to be told where it is.
_FUNCTIONS = str(Path(__file__).resolve().parent.parent / "functions")
if _FUNCTIONS not in sys.path:
    sys.path.append(_FUNCTIONS)
