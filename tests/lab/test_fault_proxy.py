"""The fault proxy, judged by curl and a real radosgw: each fault is what its name says."""

import subprocess
import sys
import tempfile
import threading
import time

import pytest

from lab import faults
from lab.fault_proxy import FaultProxy
from lab.logger import wait_until
from lab.shell import ROOT

BODY = b"row\n" * 5000


class Curl:
    """What curl made of one upload."""

    def __init__(self, *args: str, body: bytes = BODY):
        command = ["curl", "-sS", "--noproxy", "*", "-i", "-w", "\\n%{http_code}"]
        with tempfile.NamedTemporaryFile() as file:
            file.write(body)
            file.flush()
            done = subprocess.run(
                [*command, "-T", file.name, *args], capture_output=True, timeout=60
            )
        self.exit = done.returncode
        self.head, _, last = done.stdout.decode("latin-1").rpartition("\n")
        self.status = int(last or 0)


@pytest.fixture
def url(bucket, proxy):
    return bucket.presign("key", proxy.endpoint)


def test_without_a_fault_the_object_arrives_and_the_signature_holds(bucket, proxy, url):
    answer = Curl(url)
    assert (answer.exit, answer.status) == (0, 200)
    assert bucket.versions("key") == [BODY]
    assert Curl(url.replace("X-Amz-Signature=", "X-Amz-Signature=0")).status == 403
    wait_until(lambda: len(proxy.log()) == 2, "the proxy to note the second answer")
    assert [served.status for served in proxy.log()] == [200, 403]


def test_versions_come_back_in_the_order_of_upload(bucket, url):
    bodies = [f"{number}\n".encode() for number in range(12)]
    for body in bodies:
        assert Curl(url, body=body).status == 200
    assert bucket.versions("key") == bodies


@pytest.mark.parametrize("code", [403, 429, 500, 503])
def test_error_statuses_store_nothing(bucket, proxy, url, code):
    proxy.set(faults.status(code))
    assert Curl(url).status == code
    assert bucket.versions("key") == []


@pytest.mark.parametrize("value", ["7", "Wed, 21 Oct 2065 07:28:00 GMT", "soon"])
def test_retry_after_is_sent_as_given(proxy, url, value):
    proxy.set(faults.status(503, retry_after=value))
    assert f"Retry-After: {value}\r\n" in Curl(url).head


def test_expecting_client_is_refused_before_it_sends_its_body(proxy, url):
    proxy.set(faults.status(403))
    answer = Curl("-H", "Expect: 100-continue", url)
    assert answer.status == 403
    assert "100 Continue" not in answer.head


def test_hang_takes_the_body_and_never_answers(bucket, proxy, url):
    proxy.set(faults.hang())
    assert Curl("-m", "1", url).exit == 28
    assert bucket.versions("key") == []


def test_stall_goes_on_afterwards(bucket, proxy, url):
    proxy.set(faults.stall(1.0))
    begun = time.monotonic()
    assert Curl(url).status == 200
    assert time.monotonic() - begun >= 1.0
    assert bucket.versions("key") == [BODY]


def test_reset_in_mid_body_stores_nothing(bucket, proxy, url):
    proxy.set(faults.reset(after_bytes=1000))
    assert Curl(url, body=BODY * 200).exit in (55, 56)
    assert bucket.versions("key") == []


def test_lost_answer_has_stored_the_object(bucket, proxy, url):
    proxy.set(faults.lost_answer())
    assert Curl(url).exit in (52, 56)
    assert bucket.versions("key") == [BODY]


def test_cut_answer_looks_like_success_to_curl_and_has_no_etag(bucket, proxy, url):
    proxy.set(faults.cut_answer())
    answer = Curl(url)
    assert (answer.exit, answer.status) == (0, 200)
    assert "etag" not in answer.head.lower()
    assert bucket.versions("key") == []


def test_portal_and_redirect_answer_instead_of_the_server(bucket, proxy, url):
    proxy.set(faults.portal())
    answer = Curl(url)
    assert answer.status == 200 and "text/html" in answer.head
    proxy.set(faults.redirect())
    answer = Curl(url)
    assert answer.status == 302 and "Location: http://127.0.0.1:9/login" in answer.head
    assert bucket.versions("key") == []


def test_slow_link_takes_its_time(bucket, proxy, url):
    proxy.set(faults.slow(len(BODY) / 2))
    begun = time.monotonic()
    assert Curl(url).status == 200
    assert time.monotonic() - begun >= 1.5
    assert bucket.versions("key") == [BODY]


def test_stale_connection_is_reset_at_its_second_request(bucket, proxy, url):
    def two_uploads() -> str:
        config = f'url = "{url}"\nupload-file = "/etc/hostname"\n'
        done = subprocess.run(
            ["curl", "-v", "--noproxy", "*", "-K", "-"],
            input=f"{config}next\nnoproxy = *\n{config}",
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stderr

    assert "Re-using existing connection" in two_uploads()
    proxy.set(faults.stale())
    two_uploads()
    wait_until(lambda: "stale reset" in [served.fault for served in proxy.log()], "the reset")


def test_first_k_fail_and_only_some_paths(bucket, proxy, url):
    other = bucket.presign("other", proxy.endpoint)
    proxy.set(faults.status(500, times=2, only="/key"))
    assert [Curl(target).status for target in (other, url, url, url)] == [200, 500, 500, 200]


def test_down_refuses_and_up_serves_on_the_same_port(bucket, proxy, url):
    proxy.down()
    assert Curl(url).exit == 7
    proxy.up()
    assert Curl(url).status == 200


def test_down_ends_a_hanging_request(proxy, url):
    proxy.set(faults.hang())
    ended: list[int] = []
    worker = threading.Thread(target=lambda: ended.append(Curl(url).exit))
    worker.start()
    wait_until(lambda: proxy.in_progress("/key"), "the request to come in")
    proxy.down()
    worker.join(30)
    assert ended and ended[0] != 0
    wait_until(lambda: not proxy.in_progress(), "the request to end")


def test_tls_endpoint_is_signed_for_itself(s3_server, bucket):
    certificate = (
        str(s3_server.ca.with_name("server.pem")),
        str(s3_server.ca.with_name("server.key")),
    )
    with FaultProxy(s3_server.address, certificate=certificate) as proxy:
        url = bucket.presign("key", proxy.endpoint)
        assert Curl("--cacert", str(s3_server.ca), url).status == 200
        assert Curl(url).exit == 60
    assert bucket.versions("key") == [BODY]


def test_log_never_holds_a_query(proxy, url):
    Curl(url)
    assert "Signature" not in repr(proxy.log())


def test_by_hand_it_reads_faults_from_stdin(s3_server):
    host, port = s3_server.address
    done = subprocess.run(
        [sys.executable, "-m", "lab.fault_proxy", "--upstream", f"{host}:{port}"],
        input="status 503 120 times=3\nnonsense\nslow 1000 only=log\n",
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT / "tests",
    )
    assert done.returncode == 0
    assert "now: status 503" in done.stdout and "now: slow 1000.0" in done.stdout
    assert "unknown fault 'nonsense'" in done.stderr
