"""The faults that the proxy can show: one function each, in one table.

A fault gets the exchange and the real server's address, and leaves `exchange.keep_open` true only
when the connection can carry another request.
"""

import dataclasses
from collections.abc import Callable

from lab.http_exchange import Exchange

Upstream = tuple[str, int]
Action = Callable[[Exchange, Upstream], None]

REASONS = {
    200: "OK",
    204: "No Content",
    301: "Moved Permanently",
    302: "Found",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
PORTAL_PAGE = b"<html><body>Welcome to the hotel. Please log in.</body></html>"


@dataclasses.dataclass(frozen=True)
class Fault:
    """What happens to a request.

    times: how many requests it hits, None = until it is switched off ("first k fail").
    only:  hits only requests whose path contains this.
    """

    name: str
    action: Action
    times: int | None = None
    only: str = ""


def pass_on(exchange: Exchange, upstream: Upstream) -> None:
    """No fault at all."""
    exchange.client.sendall(exchange.forward(upstream))


def s3_error(code: str) -> bytes:
    """The body of an S3 error."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'.encode()


S3_CODES = {403: "AccessDenied", 429: "SlowDown", 500: "InternalError", 503: "SlowDown"}


def status(code: int, retry_after: str | None = None, s3_code: str | None = None, **kw) -> Fault:
    """An error answer of the server; Retry-After may be seconds, a date or nonsense."""
    headers = {"Content-Type": "application/xml"}
    if retry_after is not None:
        headers["Retry-After"] = retry_after
    body = s3_error(s3_code or S3_CODES.get(code, "InternalError"))

    def action(exchange: Exchange, _upstream: Upstream) -> None:
        exchange.answer(code, REASONS.get(code, "Unknown"), headers, body)

    return Fault(f"status {code}", action, **kw)


def portal(**kw) -> Fault:
    """A hotel's login page: 200 and HTML."""

    def action(exchange: Exchange, _upstream: Upstream) -> None:
        exchange.answer(200, "OK", {"Content-Type": "text/html"}, PORTAL_PAGE)

    return Fault("portal", action, **kw)


def redirect(location: str = "http://127.0.0.1:9/login", **kw) -> Fault:
    """302 to somewhere that must not be followed."""

    def action(exchange: Exchange, _upstream: Upstream) -> None:
        exchange.answer(302, "Found", {"Location": location}, b"")

    return Fault("redirect", action, **kw)


def hang(**kw) -> Fault:
    """Takes the whole request and never answers."""

    def action(exchange: Exchange, _upstream: Upstream) -> None:
        exchange.read_body()
        exchange.wait(None)

    return Fault("hang", action, **kw)


def stall(seconds: float, **kw) -> Fault:
    """Stands still before it takes the body, then goes on as if nothing had been."""

    def action(exchange: Exchange, upstream: Upstream) -> None:
        exchange.wait(seconds)
        pass_on(exchange, upstream)

    return Fault(f"stall {seconds}", action, **kw)


def reset(after_bytes: int = 0, **kw) -> Fault:
    """TCP reset when this many bytes of the body have come."""

    def action(exchange: Exchange, _upstream: Upstream) -> None:
        exchange.read_body(limit=after_bytes)
        exchange.reset()

    return Fault(f"reset {after_bytes}", action, **kw)


def lost_answer(**kw) -> Fault:
    """The server stores the object, but its answer is lost."""

    def action(exchange: Exchange, upstream: Upstream) -> None:
        exchange.forward(upstream)
        exchange.reset()

    return Fault("lost-answer", action, **kw)


def cut_answer(kept: bytes = b"HTTP/1.1 200 OK\r\n", **kw) -> Fault:
    """Stores nothing and closes in the middle of an answer that begins like success."""

    def action(exchange: Exchange, _upstream: Upstream) -> None:
        exchange.read_body()
        exchange.client.sendall(kept)

    return Fault("cut-answer", action, **kw)


def slow(bytes_per_s: float, **kw) -> Fault:
    """A link that takes this many bytes of the body in a second."""

    def action(exchange: Exchange, upstream: Upstream) -> None:
        exchange.read_body(bytes_per_s=bytes_per_s)
        pass_on(exchange, upstream)

    return Fault(f"slow {bytes_per_s}", action, **kw)


# Handled by the connection loop: it resets a kept-open connection when its next request comes.
STALE = "stale"


def stale(**kw) -> Fault:
    """Keep-alive that is promised and then broken: a connection's second request is reset."""
    return Fault(STALE, pass_on, **kw)


NO_FAULT = Fault("ok", pass_on)

# How the text form names them: name -> (maker, converters of its positional words).
MAKERS: dict[str, tuple[Callable[..., Fault], list[Callable]]] = {
    "ok": (lambda **kw: NO_FAULT, []),
    "status": (status, [int, str]),
    "portal": (portal, []),
    "redirect": (redirect, [str]),
    "hang": (hang, []),
    "stall": (stall, [float]),
    "reset": (reset, [int]),
    "lost-answer": (lost_answer, []),
    "cut-answer": (cut_answer, []),
    "slow": (slow, [float]),
    "stale": (stale, []),
}


def parse(text: str) -> Fault:
    """`status 503 120 times=3 only=time_log` and the like; ValueError says what is wrong."""
    words = text.split()
    name = words[0] if words else ""
    if name not in MAKERS:
        raise ValueError(f"unknown fault '{name}'; known: {', '.join(MAKERS)}")
    maker, converters = MAKERS[name]
    named = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    plain = [word for word in words[1:] if "=" not in word]
    if len(plain) > len(converters) or set(named) - {"times", "only"}:
        raise ValueError(f"fault '{text}': too many words, or an option other than times=, only=")
    options: dict = {}
    if "times" in named:
        options["times"] = int(named["times"])
    if "only" in named:
        options["only"] = named["only"]
    return maker(*(convert(word) for convert, word in zip(converters, plain)), **options)
