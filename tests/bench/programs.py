"""The peers that are programs: rclone, and curl as the floor."""

from collections.abc import Sequence
from pathlib import Path

from tests.bench.clients import BUCKET, REGION, Job
from tests.bench.content import File
from tests.bench.environment import CREDENTIALS, VENV


def rclone(job: Job, directory: Path) -> list[str]:
    """``rclone copyurl`` of all files of the job; several go through its list of URLs."""
    remote = (
        f':s3,provider=Other,endpoint="{job.s3_url}",region={REGION},force_path_style=true,no_check_bucket=true,'
        f"access_key_id={CREDENTIALS['AWS_ACCESS_KEY_ID']},secret_access_key={CREDENTIALS['AWS_SECRET_ACCESS_KEY']}"
    )
    program = [str(VENV / "bin" / "rclone"), "copyurl", "--ca-cert", job.ca_bundle, "--retries", "1", "-q"]
    if len(job.files) == 1:
        file = job.files[0]
        return [*program, job.upstream_url + file.path, f"{remote}:{BUCKET}/{job.key(file)}"]
    listed = directory / "urls.csv"
    listed.write_text("".join(f"{job.upstream_url}{file.path},{job.key(file)}\n" for file in job.files))
    return [*program, "--urls", str(listed), f"{remote}:{BUCKET}/", "--transfers", str(job.at_once)]


def curl_download(job: Job) -> list[str]:
    """Into nothing."""
    targets = [part for file in job.files for part in ("-o", "/dev/null", job.upstream_url + file.path)]
    return ["curl", "-sSf", "--cacert", job.ca_bundle, *_parallel(job), *targets]


def curl_upload(job: Job, source: Path) -> list[str]:
    """The same file for every key."""
    targets = [part for file in job.files for part in ("-T", str(source), _object(job, file))]
    return ["curl", "-sSf", "--cacert", job.ca_bundle, *_parallel(job), *targets]


def curl_pipe(job: Job) -> Sequence[list[str]]:
    """``curl | curl`` of one file."""
    (file,) = job.files
    common = ["curl", "-sSf", "--cacert", job.ca_bundle]
    return [*common, job.upstream_url + file.path], [*common, "-T", "-", _object(job, file)]


def _parallel(job: Job) -> list[str]:
    return ["--parallel", "--parallel-max", str(job.at_once)] if job.at_once > 1 else []


def _object(job: Job, file: File) -> str:
    return f"{job.s3_url}/{BUCKET}/{job.key(file)}"
