"""generate_url.py against a real S3 server: the command a person types, the file, the URLs."""

import datetime
import json
import os
import stat
import subprocess
import time

import pytest
from helpers import ROOT, run_tool

from desk import s3, signing


@pytest.fixture
def sign(s3_server, tmp_path):
    """Runs generate_url.py in a folder of its own."""

    def run(*arguments, check=True, **env):
        place = ("--endpoint-url", s3_server.endpoint)
        env = {**s3_server.credentials, **env}
        return run_tool("generate_url.py", *arguments, *place, env=env, cwd=tmp_path, check=check)

    return run


def curl(env_file, variable, upload, change=""):
    """`source`s the file and uploads with curl; the HTTP status."""
    script = (
        f". {env_file}; curl -s -o /dev/null -w '%{{http_code}}' -T"
        f' {upload} "${{{variable}}}{change}"'
    )
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout


def test_the_sourced_urls_take_uploads_of_all_three_objects(sign, s3_server, bucket, tmp_path):
    sign("--bucket", bucket.name, "--file-prefix", "my_site/", "--output", "s3.env")
    for variable, _, key in signing.OBJECTS:
        (tmp_path / key).write_text(f"content of {key}\n")
        assert curl(tmp_path / "s3.env", variable, tmp_path / key) == "200"
        stored = s3_server.client().get_object(Bucket=bucket.name, Key=f"my_site/{key}")
        assert stored["Body"].read().decode() == f"content of {key}\n"


def test_a_profile_is_taken_from_the_configuration(s3_server, bucket, tmp_path):
    keys = s3_server.credentials
    (tmp_path / "credentials").write_text(
        f"[site]\naws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {keys['AWS_SECRET_ACCESS_KEY']}\nregion = eu-north-1\n"
    )
    env = {"AWS_PROFILE": "site", "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    run_tool("generate_url.py", "--bucket", bucket.name, "--endpoint-url", s3_server.endpoint,
             env=env, cwd=tmp_path)  # fmt: skip
    assert curl(tmp_path / "s3.env", "TIME_LOG_CSV", tmp_path / "credentials") == "200"


def test_an_altered_and_an_expired_url_are_refused(sign, s3_server, bucket, tmp_path):
    sign("--bucket", bucket.name, "--expiration", "30", "--output", "long.env")
    upload = tmp_path / "long.env"
    assert curl(upload, "TIME_LOG_CSV", upload, change="0") == "403"
    assert curl(upload, "TIME_LOG_CSV", upload) == "200"
    sign("--bucket", bucket.name, "--expiration", "1", "--output", "short.env")
    time.sleep(2.1)
    assert curl(tmp_path / "short.env", "TIME_LOG_CSV", upload) == "403"
    stored = s3_server.client().list_object_versions(Bucket=bucket.name)["Versions"]
    assert len(stored) == 1


def test_the_file_is_for_its_owner_only_even_over_an_open_one(sign, bucket, tmp_path):
    (tmp_path / "s3.env").write_text("old")
    os.chmod(tmp_path / "s3.env", 0o666)
    sign("--bucket", bucket.name)
    assert stat.S_IMODE((tmp_path / "s3.env").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["s3.env"]  # no temporary file is left


def test_nothing_is_written_when_something_fails(sign, tmp_path):
    (tmp_path / "s3.env").write_text("old")
    done = sign("--bucket", "no-such-bucket", check=False)
    assert done.returncode == 1 and "there is no bucket 'no-such-bucket'" in done.stderr
    assert (tmp_path / "s3.env").read_text() == "old"
    assert os.listdir(tmp_path) == ["s3.env"]


def test_the_urls_say_sigv4_and_the_file_says_when_they_die(sign, bucket, tmp_path):
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    sign("--bucket", bucket.name, "--expiration", "3600")
    text = (tmp_path / "s3.env").read_text()
    assert text.count("X-Amz-Algorithm=AWS4-HMAC-SHA256") == 3
    dies = datetime.datetime.strptime(
        text.partition("URLS_EXPIRE=")[2].strip(), "%Y-%m-%dT%H:%M:%SZ"
    ).replace(tzinfo=datetime.timezone.utc)
    assert (
        before <= dies - datetime.timedelta(seconds=3600) <= before + datetime.timedelta(minutes=5)
    )


def test_the_json_document_has_the_shape_that_url_source_serves(sign, bucket, tmp_path):
    sign("--bucket", bucket.name, "--file-prefix", "a/", "--json")
    document = json.loads((tmp_path / "s3.json").read_text())
    assert list(document) == ["version", "time_log", "ntp_status", "ntp_failed_status", "expires"]
    assert document["version"] == 1
    assert "/a/time_log.csv?" in document["time_log"]
    assert document["expires"].endswith("Z")
    assert stat.S_IMODE((tmp_path / "s3.json").stat().st_mode) == 0o600


def test_two_cameras_share_no_key(sign, bucket, tmp_path):
    sign("--bucket", bucket.name, "--file-prefix", "site/", "--camera", "gate", "--camera", "yard")
    gate, yard = ((tmp_path / f"s3.{name}.env").read_text() for name in ("gate", "yard"))
    assert gate.count("/site/gate/") == 4 and "yard" not in gate
    assert yard.count("/site/yard/") == 4 and "gate" not in yard


@pytest.mark.parametrize("names", [("a/b",), ("..",), ("-x",), ("",), ("gate", "Gate")])
def test_a_camera_name_that_would_mix_keys_is_refused(sign, bucket, names):
    done = sign("--bucket", bucket.name, *[f"--camera={name}" for name in names], check=False)
    assert done.returncode == 1 and "camera" in done.stderr and "Next:" in done.stderr


def test_a_bucket_without_versioning_is_warned_about_and_can_be_put_right(
    sign, s3_server, tmp_path
):
    client = s3_server.client()
    client.create_bucket(Bucket="unversioned")
    done = sign("--bucket", "unversioned")
    assert "keeps no versions" in done.stderr and "put-bucket-versioning" in done.stderr
    done = sign("--bucket", "unversioned", "--enable-versioning")
    assert "versioning is on now" in done.stderr
    assert client.get_bucket_versioning(Bucket="unversioned")["Status"] == "Enabled"
    assert "versions" not in sign("--bucket", "unversioned").stderr


def test_the_probe_is_read_back_and_leaves_no_version_behind(sign, s3_server, bucket):
    done = sign("--bucket", bucket.name, "--file-prefix", "p/", "--test")
    assert "stored, read back and removed" in done.stderr
    assert "Versions" not in s3_server.client().list_object_versions(Bucket=bucket.name)


def test_temporary_credentials_are_warned_about(sign, bucket):
    done = sign("--bucket", bucket.name, AWS_SESSION_TOKEN="token", check=False)
    assert "temporary" in done.stderr


def test_the_true_end_of_temporary_credentials_is_printed_and_written(s3_server, bucket, tmp_path):
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=2)
    keys = s3_server.credentials
    login = {
        "Version": 1,
        "AccessKeyId": keys["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": keys["AWS_SECRET_ACCESS_KEY"],
        "SessionToken": "token",
        "Expiration": f"{end:%Y-%m-%dT%H:%M:%SZ}",
    }
    (tmp_path / "login").write_text(json.dumps(login))
    (tmp_path / "config").write_text(
        f"[profile sso]\nregion = eu-north-1\ncredential_process = cat {tmp_path / 'login'}\n"
    )
    done = run_tool(
        "generate_url.py", "--bucket", bucket.name, "--endpoint-url", s3_server.endpoint,
        env={"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "sso"}, cwd=tmp_path,
    )  # fmt: skip
    assert "temporary" in done.stderr and f"{end:%Y-%m-%d %H:%M:%S} UTC" in done.stderr
    assert f"URLS_EXPIRE={end:%Y-%m-%dT%H:%M:%SZ}" in (tmp_path / "s3.env").read_text()


def test_the_policy_allows_puts_below_the_prefix_and_nothing_else(tmp_path):
    done = run_tool(
        "generate_url.py", "--bucket", "b", "--file-prefix", "site/", "--policy", cwd=tmp_path
    )
    policy = json.loads(done.stdout)
    assert len(policy["Statement"]) == 1
    statement = policy["Statement"][0]
    assert statement["Action"] == "s3:PutObject"
    assert statement["Resource"] == "arn:aws:s3:::b/site/*"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "env, said",
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "refuses the signature"),
        ({"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN"}, "does not know this access key"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no usable AWS credentials"),
        ({"AWS_PROFILE": "nobody"}, "(nobody) could not be found"),
    ],
)
def test_bad_credentials_get_a_sentence(sign, bucket, tmp_path, env, said):
    done = sign("--bucket", bucket.name, check=False, **env)
    assert done.returncode == 1 and said in done.stderr and "Next:" in done.stderr
    assert not (tmp_path / "s3.env").exists()


def test_an_unreachable_server_gets_a_sentence(s3_server, tmp_path):
    done = run_tool("generate_url.py", "--bucket", "b", "--endpoint-url", "http://127.0.0.1:9",
                    env=s3_server.credentials, cwd=tmp_path, check=False)  # fmt: skip
    assert done.returncode == 1 and "cannot be reached" in done.stderr


@pytest.mark.parametrize("value", ["0", "604801", "-1", "soon"])
def test_an_expiration_out_of_range_is_a_usage_error(tmp_path, value):
    done = run_tool(
        "generate_url.py", "--bucket", "b", "--expiration", value, cwd=tmp_path, check=False
    )
    assert done.returncode == 2 and "--expiration" in done.stderr


@pytest.mark.parametrize(
    "region, bucket_name, host",
    [
        ("eu-north-1", "mybucket", "mybucket.s3.eu-north-1.amazonaws.com"),
        ("us-east-1", "mybucket", "mybucket.s3.us-east-1.amazonaws.com"),
        (
            "eu-north-1",
            "my.bucket",
            "s3.eu-north-1.amazonaws.com",
        ),  # dots do not fit the certificate
        ("cn-north-1", "mybucket", "mybucket.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_at_aws_the_urls_name_the_regions_own_endpoint(region, bucket_name, host):
    class Keys:
        access_key, secret_key, token = "AKIAEXAMPLEEXAMPLE01", "secret", None

    place = s3.Place(region=region)
    signer = signing.Signer(place, s3.session_for(place), Keys, region, bucket_name)
    url = signer.put_url("my_site/time_log.csv", 60)
    assert url.startswith(f"https://{host}/")
    assert f"%2F{region}%2Fs3%2Faws4_request" in url


def test_the_help_shows_the_options_of_old(tmp_path):
    text = run_tool("generate_url.py", "--help", cwd=tmp_path).stdout
    for option in (
        "--bucket TEXT",
        "--file-prefix TEXT",
        "--expiration INTEGER RANGE",
        "--output TEXT",
    ):
        assert option in text
    assert "[1<=x<=604800]" in text
    assert (ROOT / "tools/generate_url.py").stat().st_mode & 0o111
