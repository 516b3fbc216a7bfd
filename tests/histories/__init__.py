"""Random histories of a whole account: what an audit says must be true.

The account lies in memory, Bigin is the simulator without its sockets, and AWS are small fakes below boto3. Functions
and commands are the real ones. Time is simulated; calls are cut off and processes are killed wherever the seed says.
Start with ``world`` (what there is), ``steps`` (what can happen) and ``oracle`` (what a report must say).
"""
