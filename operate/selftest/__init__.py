"""What only a real AWS account can tell: the requests of this version, tried on throw-away resources.

It may import ``stack`` and what every command has. Start with ``check``; ``throw_away`` makes and removes the buckets.
"""
