"""AWS as this project calls it: clients, signed requests to S3, DynamoDB's errors, a semaphore in a table.

It may import the root's values alone. Start with ``clients``.
"""
