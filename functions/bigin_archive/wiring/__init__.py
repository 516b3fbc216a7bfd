"""Settings -> clients -> objects, one module for each function, called once at its cold start.

It may import everything, and only it makes clients and puts objects together. A module imports only what its function
runs, so that no cold start loads another function's code. Start with ``archive_queued``, then ``pipeline``.
"""
