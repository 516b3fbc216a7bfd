"""The Bigin simulator: the parts of the Bigin v2 API that an archiver of attachments meets.

It holds no customer data and it is not part of what is deployed.
"""
