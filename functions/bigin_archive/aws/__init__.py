"""AWS for this project: clients, signed requests to S3, error codes, DynamoDB calls, a semaphore in a table.

It may import only the root's values. Start with ``clients``.
"""
