"""An address that hands out presigned URLs, for the logger's url_source."""

import http.server
import json
import threading


class UrlSource:
    """A small HTTP server that hands out whatever `answer` holds, and counts who asks."""

    def __init__(self, token: str = "canary-token"):
        self.answer: dict | bytes = {}
        self.status = 200
        self.asked: list[str] = []
        source = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802 (the library's name)
                source.asked.append(self.path)
                body = source.answer
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(source.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/urls?token={token}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def hand_out(self, bucket, expires_s: int = 3600) -> None:
        self.answer = {
            "version": 1,
            "time_log": bucket.presign("time_log.csv", expires_s=expires_s),
            "ntp_status": bucket.presign("ntp_status.txt", expires_s=expires_s),
        }

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
