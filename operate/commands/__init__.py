"""The commands of ``bigin-archive``, one file each: they read options and return an exit status.

They may import every package of the command line, which does the work. Start with ``options``.
"""
