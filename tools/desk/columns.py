"""The columns of a time log (docs/RECORD.md): names, types, and what a whole row looks like."""

from __future__ import annotations

import re

LEGACY = ("elapsed_time", "elapsed_system_time", "current_system_time", "clock_diff", "status")
RICH = LEGACY + (
    "boot_id",
    "seq",
    "elapsed_raw_ns",
    "read_window_ns",
    "sync_state",
    "source",
    "stratum",
    "ref_age_s",
    "last_offset_s",
    "freq_ppm",
    "root_delay_s",
    "root_dispersion_s",
    "error_bound_s",
    "event",
)

STATUSES = (
    "Normal",
    "Insert second",
    "Delete second",
    "Not synchronised",
    "Unknown",
    "Invalid",
)
# The verdicts, best first; older logs have only a status, see STATE_OF_STATUS.
STATES = ("synced", "coasting", "unsynced", "unreachable", "unknown")
SYNCED, COASTING, UNSYNCED, UNREACHABLE, UNKNOWN = range(5)
STATE_OF_STATUS = (SYNCED, SYNCED, SYNCED, UNSYNCED, UNKNOWN, UNKNOWN)
SOURCES = ("none", "chrony", "chronyc", "kernel", "sntp", "other")

_WHOLE = r"-?\d{1,18}"
_REAL = r"(?:[-+]?\d{1,18}(?:\.\d{1,18})?(?:[eE][-+]?\d{1,2})?)?"
_PATTERNS = {
    "elapsed_time": r"\d{1,18}",
    "elapsed_system_time": _WHOLE,
    "current_system_time": _WHOLE,
    "clock_diff": _REAL,
    "status": "(?:" + "|".join(STATUSES) + ")",
    "boot_id": r"[0-9a-f]{8}",
    "seq": r"\d{1,18}",
    "sync_state": "[a-z_]{0,16}",
    "source": "[a-z_]{0,16}",
    "event": r"[ -+\--~]*",  # printable ASCII but the comma
}
WORDS = ("status", "boot_id", "sync_state", "source")
# Columns nobody at the desk asks for yet are tokenised but not converted.
UNUSED = frozenset(("stratum", "root_delay_s", "root_dispersion_s"))
_INTEGERS = frozenset(("elapsed_time", "elapsed_system_time", "current_system_time", "seq"))


def word_is_valid(column: str, word: str) -> bool:
    """Whether WORD can stand in COLUMN (one of WORDS)."""
    return re.fullmatch(_PATTERNS[column], word) is not None


def row_pattern(columns: tuple[str, ...]) -> re.Pattern:
    """Matches a whole row of COLUMNS and nothing else; columns we do not know may hold anything."""
    fields = []
    for column in columns:
        known = column in RICH
        fields.append(_PATTERNS.get(column, _REAL if known else r"[^,]*"))
    return re.compile(",".join(fields).encode())


def dtypes(columns: tuple[str, ...]) -> dict:
    """What the C parser makes of each column."""
    types = {}
    for column in columns:
        if column in _INTEGERS:
            types[column] = "int64"
        elif column in WORDS:
            types[column] = "category"
        elif column == "event" or column not in RICH:
            types[column] = "object"
        else:
            types[column] = "float64"
    return types
