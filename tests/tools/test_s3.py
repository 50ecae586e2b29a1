"""plot.py and report.py on a real S3 server: exact keys, all versions, prefixes, refusals."""

import gzip
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers import run_tool
from make_log import Scenario, legacy_text, rich_row, rich_text, run

from desk import s3


@pytest.fixture
def plot(s3_server, tmp_path):
    """Runs plot.py; the first line that it prints."""

    def command(path, *arguments, check=True, **env):
        env = {**s3_server.credentials, **env}
        return run_tool("plot.py", path, *arguments, "--endpoint-url", s3_server.endpoint,
                        "--output", tmp_path / "a.png", env=env, check=check)  # fmt: skip

    return command


# What makes a tool write something without a window.
WRITES = {"plot.py": ["--output", "a.png"], "report.py": []}


def rows_of(done):
    return int(re.search(r"([\d,]+) rows?\b", done.stdout).group(1).replace(",", ""))


@pytest.fixture(scope="module")
def many(s3_server):
    """A key with 1,500 versions, the Nth with N rows, and keys that it is a prefix of."""
    name = "many-versions"
    client = s3_server.client()
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    lines = [rich_row(row) for row in run(Scenario(length=1500))]
    head = rich_text([])
    for number in range(1, 1501):
        body = head + "".join(lines[1500 - number :])
        client.put_object(Bucket=name, Key="site/time_log.csv", Body=body.encode())
    with ThreadPoolExecutor(4) as pool:
        for other in ("site/time_log.csv.bak", "site/time_log.csv2", "site/time_log"):
            list(
                pool.map(
                    lambda k: client.put_object(Bucket=name, Key=k, Body=b"not a log\n"),
                    [other] * 20,
                )
            )
    return name


@pytest.mark.parametrize(
    "index, rows",
    [
        (None, 1500),
        (-1, 1500),
        (-2, 1499),
        (-999, 502),
        (-1001, 500),
        (-1500, 1),
        (0, 1),
        (1, 2),
        (1499, 1500),
    ],
)
def test_of_1500_versions_the_index_picks_the_right_one(plot, many, index, rows):
    chosen = [] if index is None else ["--version-index", index]
    done = plot(f"s3://{many}/site/time_log.csv", *chosen)
    assert rows_of(done) == rows


@pytest.mark.parametrize("index", [-1501, 1500])
def test_an_index_beyond_the_versions_is_told_how_many_there_are(plot, many, index):
    done = plot(f"s3://{many}/site/time_log.csv", "--version-index", index, check=False)
    assert done.returncode == 1 and "1,500 versions" in done.stderr


def test_keys_that_begin_alike_are_not_mixed(s3_server, many):
    client = s3_server.client()
    listed = list(s3.newest_first(client, many, "site/time_log.csv"))
    assert len(listed) == 1500 and {v.key for v in listed} == {"site/time_log.csv"}
    assert len(list(s3.newest_first(client, many, "site/time_log"))) == 20


def test_a_range_of_versions_is_one_series_without_repeats(plot, many):
    # the Nth version holds seq 1501-N..1500: all overlap
    done = plot(f"s3://{many}/site/time_log.csv", "--versions", "-3..-1")
    assert rows_of(done) == 1500 and "0 missing by seq" in done.stdout


def test_hourly_uploads_of_a_lost_answer_are_joined_once(plot, s3_server, bucket):
    rows = run(Scenario(length=300))
    parts = [rows[:100], rows[100:200], rows[100:200], rows[200:]]
    for part in parts:
        s3_server.client().put_object(
            Bucket=bucket.name, Key="c/time_log.csv", Body=rich_text(part).encode()
        )
    assert rows_of(plot(f"s3://{bucket.name}/c/time_log.csv", "--versions", "all")) == 300
    assert rows_of(plot(f"s3://{bucket.name}/c/")) == 300
    assert rows_of(plot(f"s3://{bucket.name}/c/time_log.csv", "--since", "2025-11-20T00:01",
                        "--until", "2025-11-20T00:02")) == 60  # fmt: skip


def test_legacy_uploads_are_joined_and_a_repeated_one_is_dropped(plot, s3_server, bucket):
    rows = run(Scenario(length=300, steps={150: -30.0}))
    for part in (rows[:100], rows[100:200], rows[100:200], rows[200:]):
        body = legacy_text(part, signed=False).encode()
        s3_server.client().put_object(Bucket=bucket.name, Key="time_log.csv", Body=body)
    done = plot(f"s3://{bucket.name}/time_log.csv", "--versions", "0..-1")
    assert rows_of(done) == 300 and "-30.000 s" in done.stdout


def test_a_prefix_of_segments_is_sorted_paginated_and_gzip_is_recognised(plot, s3_server, bucket):
    client = s3_server.client()
    rows = run(Scenario(length=2200))
    for number in range(1100):
        body = rich_text(rows[2 * number : 2 * number + 2]).encode()
        if number % 3 == 0:
            body = gzip.compress(body)
        client.put_object(Bucket=bucket.name, Key=f"seg/{number + 1}.csv", Body=body)
    client.put_object(Bucket=bucket.name, Key="seg/ntp_status.txt", Body=b"Reference ID : x\n")
    client.put_object(Bucket=bucket.name, Key="seg/other/time_log.csv", Body=b"another camera\n")
    done = plot(f"s3://{bucket.name}/seg/")
    assert rows_of(done) == 2200 and "0 missing by seq" in done.stdout


@pytest.fixture
def packed_url(s3_server, bucket):
    """One upload of 300 rows as `compress = gzip` makes it; a presigned address to download it."""
    body = gzip.compress(rich_text(run(Scenario(length=300))).encode())
    client = s3_server.client()
    client.put_object(Bucket=bucket.name, Key="p/time_log.csv", Body=body, ContentEncoding="gzip")
    return client.generate_presigned_url(
        "get_object", Params={"Bucket": bucket.name, "Key": "p/time_log.csv"}
    )


@pytest.mark.parametrize("tool", ["plot.py", "report.py"])
def test_a_packed_upload_is_read_from_the_bucket(tool, s3_server, bucket, packed_url, tmp_path):
    url = f"s3://{bucket.name}/p/time_log.csv"
    done = run_tool(tool, url, "--endpoint-url", s3_server.endpoint, *WRITES[tool],
                    env=s3_server.credentials, cwd=tmp_path)  # fmt: skip
    assert rows_of(done) == 300


@pytest.mark.parametrize("tool", ["plot.py", "report.py"])
@pytest.mark.parametrize("unpacks", [True, False], ids=["unpacked", "raw"])
def test_a_packed_upload_is_read_however_it_was_downloaded(tool, unpacks, tmp_path, packed_url):
    """Browsers unpack by Content-Encoding, `aws s3 cp` and plain curl do not."""
    curl = ["curl", "-sSf", packed_url, "-o", tmp_path / "time_log.csv"]
    subprocess.run(curl + ["--compressed"] * unpacks, check=True)
    is_gzip = (tmp_path / "time_log.csv").read_bytes()[:2] == b"\x1f\x8b"
    assert is_gzip != unpacks
    done = run_tool(tool, "time_log.csv", *WRITES[tool], cwd=tmp_path)
    assert rows_of(done) == 300


def test_a_folder_of_cameras_is_not_mixed_into_one_series(plot, s3_server, bucket):
    for camera in ("gate", "yard"):
        s3_server.client().put_object(
            Bucket=bucket.name, Key=f"site/{camera}/time_log.csv", Body=b"x"
        )
    done = plot(f"s3://{bucket.name}/site/", check=False)
    assert done.returncode == 1 and "site/gate/, site/yard/" in done.stderr


@pytest.mark.parametrize(
    "path, env, said",
    [
        ("s3://no-such-bucket/time_log.csv", {}, "there is no bucket 'no-such-bucket'"),
        ("s3://{}/nothing.csv", {}, "there is no object 'nothing.csv'"),
        ("s3://{}/nothing/", {}, "no *.csv object directly below"),
        ("s3://{}/a.csv", {"AWS_SECRET_ACCESS_KEY": "wrong"}, "refuses the signature"),
        (
            "s3://{}/a.csv",
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            "no usable AWS credentials",
        ),
        ("s3://{}/empty.csv", {}, "is empty"),
    ],
)
def test_refusals_are_sentences_with_the_next_step(plot, s3_server, bucket, path, env, said):
    s3_server.client().put_object(Bucket=bucket.name, Key="empty.csv", Body=b"")
    done = plot(path.format(bucket.name), check=False, **env)
    assert done.returncode == 1 and said in done.stderr and "Next: " in done.stderr


def test_a_folder_written_without_its_slash_gets_a_hint(plot, s3_server, bucket):
    s3_server.client().put_object(Bucket=bucket.name, Key="site/time_log.csv", Body=b"x")
    done = plot(f"s3://{bucket.name}/site", check=False)
    assert "site/time_log.csv" in done.stderr and "'/' at its end" in done.stderr


def test_a_bucket_without_versions_says_so_when_an_earlier_one_is_asked_for(plot, s3_server):
    client = s3_server.client()
    client.create_bucket(Bucket="unversioned-plot")
    for length in (10, 20):
        body = rich_text(run(Scenario(length=length))).encode()
        client.put_object(Bucket="unversioned-plot", Key="time_log.csv", Body=body)
    assert rows_of(plot("s3://unversioned-plot/time_log.csv")) == 20
    done = plot("s3://unversioned-plot/time_log.csv", "--version-index", "-2", check=False)
    assert "has 1 version" in done.stderr and "--enable-versioning" in done.stderr


@pytest.mark.parametrize(
    "code, status, headers, said",
    [
        (
            "PermanentRedirect",
            301,
            {"x-amz-bucket-region": "eu-west-1"},
            "another region (eu-west-1)",
        ),
        ("ExpiredToken", 400, {}, "credentials have expired"),
        ("RequestTimeTooSkewed", 403, {}, "clock is more than 15 minutes off"),
        ("AccessDenied", 403, {}, "is denied"),
        ("Curious", 418, {}, "Curious, no reason given"),
    ],
)
def test_answers_that_only_aws_gives_become_sentences(code, status, headers, said):
    from botocore.exceptions import ClientError

    from desk.errors import DeskError

    answer = {
        "Error": {"Code": code},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    with pytest.raises(DeskError, match=re.escape(said)), s3.sentences("b", "k"):
        raise ClientError(answer, "GetObject")
