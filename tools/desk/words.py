"""Numbers and times as people read them. Signs: + is fast (the clock shows more than true time)."""

from __future__ import annotations

import datetime
import math
import re

from desk.errors import DeskError

YEAR_S = 365.25 * 86400
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def seconds(value: float, sign: bool = False) -> str:
    """A length of time or an error in its natural unit: 12.3 ms, -61.800 s, 3600.000 s (1 h)."""
    if value is None or not math.isfinite(value):
        return "unknown"
    size, mark = abs(value), "-" if value < 0 else ("+" if sign else "")
    if size < 1e-9:
        return "0 s"
    if size < 1e-6:
        return f"{mark}{size * 1e9:.0f} ns"
    if size < 999.95e-6:
        return f"{mark}{size * 1e6:.1f} µs"
    if size < 0.99995:
        return f"{mark}{size * 1e3:.1f} ms"
    if size < 86400:
        return f"{mark}{size:.3f} s" + (f" ({duration(size)})" if size >= 600 else "")
    return f"{mark}{size:.0f} s ({duration(size)})"


def duration(value: float) -> str:
    """A length of time with at most two units: 61.8 s, 3 h 2 min, 2 d 4 h, 56.9 years."""
    value = abs(value)
    if value < 1:
        return seconds(value)
    if value < 119.95:
        return f"{value:.1f}".rstrip("0").rstrip(".") + " s"
    if value >= 2 * YEAR_S:
        return f"{value / YEAR_S:.1f} years"
    for size, name, small_size, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        whole, rest = divmod(int(round(value / small_size)) * small_size, size)
        if whole:
            return f"{whole} {name}" + (f" {rest // small_size} {small}" if rest else "")
    minutes, rest = divmod(int(round(value)), 60)
    return f"{minutes} min" + (f" {rest} s" if rest else "")


def limit(value: float) -> str:
    """A limit as a person writes it: 50 ms, 1.5 s."""
    for size, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= 0.9999999 * size:
            return f"{value / size:g} {name}"
    return f"{value * 1e9:g} ns"


def fast_or_slow(value: float) -> str:
    """The sign of an error, said."""
    return "fast" if value > 0 else "slow"


def moment(us: float, digits: int = 0) -> str:
    """Microseconds since 1970 as 2026-11-20 10:00:00 UTC; absurd stamps as a number."""
    if not math.isfinite(us):
        return "unknown"
    scale = 10 ** (6 - digits)
    us = int(us) // scale * scale
    try:
        when = _EPOCH + datetime.timedelta(microseconds=us)
    except OverflowError:
        return f"stamp {us} µs"
    text = when.strftime("%Y-%m-%d %H:%M:%S")
    return text + (f".{us % 1000000:06d}"[: digits + 1] if digits else "")


def rfc3339(us: float) -> str:
    """Microseconds since 1970 as 2026-11-20T10:00:00Z; None as None."""
    if us is None or not math.isfinite(us):
        return None
    return moment(us, 6).replace(" ", "T") + "Z"


def count(number: int, thing: str) -> str:
    """1 row, 86,400 rows."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def share(part: float, whole: float) -> str:
    """A percentage that never rounds to 0 or 100 unless it is."""
    if whole <= 0:
        return "-"
    if math.isclose(part, whole, rel_tol=1e-7):
        part = whole
    percent = 100.0 * part / whole
    for digits in (1, 2, 3, 4):
        text = f"{percent:.{digits}f}"
        if float(text) not in (0.0, 100.0) or part in (0, whole):
            break
    if part in (0, whole):
        return f"{percent:.0f} %"
    return f"{text} %"


def parse_span(text: str) -> float:
    """'50ms', '1 s', '0.5' (seconds) or '2h' as seconds."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-zµ]*)\s*", text)
    unit = match and (match.group(2) or "s")
    if not match or unit not in _UNITS or float(match.group(1)) <= 0:
        raise DeskError(
            f"'{text}' is not a length of time above zero.",
            "write a number and a unit out of ns, us, ms, s, min, h, as in 50ms or 10s.",
        )
    return float(match.group(1)) * _UNITS[unit]


def parse_moment(text: str) -> float:
    """An ISO 8601 date or time as microseconds since 1970; without a zone it is UTC."""
    try:
        when = datetime.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
    except ValueError:
        raise DeskError(
            f"'{text}' is not a date or time.",
            "write it as 2026-11-20, 2026-11-20T10:00 or 2026-11-20T10:00:00Z; UTC is meant.",
        ) from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.timezone.utc)
    return (when - _EPOCH) / datetime.timedelta(microseconds=1)
