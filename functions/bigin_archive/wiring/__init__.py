"""Settings -> clients -> objects, one module for each function; called once, at its cold start.

It may import everything: it alone makes clients and puts objects together. A module imports what its function runs and
nothing else, so that no cold start loads another function's code. Start with ``archive_queued``, then ``pipeline``.
"""
