"""The fault suite makes everything fail that can fail between Bigin, a worker, SQS and S3, and then reads the archive.

`python -m tests.faults` runs all of it. It believes the bucket, the queues and the simulator's own list, and never a
log line of ours.
"""
