"""A soak: tokens that live seconds, the refresher beside steady work; run by hand: python -m tests.soak --minutes 3.

Proves over time what the tests prove in moments: no message fails, and the number of refreshes is bounded.
"""

import argparse
import tempfile
import time
from pathlib import Path

from local.stack import LocalStack
from tests.bigin import Simulator
from tests.deployed import Deployed

TOKEN_LIFETIME_S = 40
REFRESH_EVERY_S = 20  # half the lifetime, as 30 minutes are to an hour


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as directory, LocalStack(Path(directory)) as stack:
        return soak(Deployed(stack, Simulator(stack.description["bigin_api_url"])), minutes * 60)


def soak(deployed: Deployed, seconds: float) -> int:
    bigin, functions = deployed.bigin, deployed.stack.client("lambda")
    # Zoho's limit of ten in ten minutes is for tokens that live an hour.
    bigin.control("PATCH", "settings", {"token_lifetime_s": TOKEN_LIFETIME_S, "mint_limit": 10_000})
    bigin.control("DELETE", "tokens")
    requests, refreshes, next_refresh = [], 0, 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if time.monotonic() >= next_refresh:
            functions.invoke(FunctionName=deployed.description["refresh_token_function"], Payload=b"{}")
            refreshes, next_refresh = refreshes + 1, time.monotonic() + REFRESH_EVERY_S
        batch = [bigin.add(b"soak %d" % (len(requests) + number)) for number in range(10)]
        deployed.send(*batch)
        requests += batch
        time.sleep(0.5)
    deployed.until(deployed.queue_is_empty)
    missing = [request for request in requests if len(deployed.objects(request)) != 1]
    parked = deployed.dead_letters()
    calls = bigin.calls()
    repeated = calls["by_call"]["download"] - len(requests)
    print(
        f"{len(requests)} messages in {seconds:.0f} s with tokens of {TOKEN_LIFETIME_S} s: {len(missing)} missing, "
        f"{len(parked)} parked, {repeated} calls repeated, {calls['by_call']['token']} refreshes"
    )
    return 1 if missing or parked or calls["by_call"]["token"] > refreshes else 0


if __name__ == "__main__":
    raise SystemExit(main())
