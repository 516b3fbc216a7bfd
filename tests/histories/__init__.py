"""Random histories of a whole account: what an audit says must be what is true.

The account lies in memory, Bigin is the simulator without its sockets, AWS are small fakes below boto3; the functions
and commands are the real ones. Time is simulated, calls are cut off and processes killed wherever the seed says. Start
with ``world`` (what there is), ``steps`` (what can happen) and ``oracle`` (what must be told).
"""
