"""The cold start without garbage collection: imported first by every handler, before all that it imports.

Modules, classes and clients that are made at a cold start stay for ever; looking for garbage among them takes an
eighth of its time (measured with `make bench`). This is the one module whose import has an effect.
"""

import gc

gc.disable()


def over() -> None:
    """Collect again from now on, but never look at what the cold start has made."""
    gc.freeze()
    gc.enable()
