"""Benchmarks: this project's data path and cold start beside those of its peers, in the same run (``make bench``)."""
