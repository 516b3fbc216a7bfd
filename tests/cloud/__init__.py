"""What is tried on a real AWS account: ``make cloud-test``. Nothing of it runs in ``make test``."""
