"""The fault suite: what can fail between Bigin, a worker, SQS and S3 is made to fail, and the archive is read.

`python -m tests.faults` runs all of it. What it believes is the bucket, the queues and the simulator's own list; never
a log line of ours.
"""
