"""The cold start without garbage collection. Every handler imports this before everything else.

The modules, classes and clients of a cold start stay for ever. Searching them for garbage takes an eighth of its time
(measured with `make bench`). This is the only module whose import has an effect.
"""

import gc

gc.disable()


def over() -> None:
    """Collect garbage again from now on, but never among the objects of the cold start."""
    gc.freeze()
    gc.enable()
