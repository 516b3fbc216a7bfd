"""The commands of ``bigin-archive``, one file each: options in, exit status out.

They may import every package of the command line; the work is done there. Start with ``options``.
"""
