/*
 * What a time source says at one instant, and what the verdict makes of it.
 *
 * Signs: offsets are system clock minus true time, positive = the clock is fast. Absent is a
 * missing validity bit, never 0.
 */
#ifndef CORE_READING_H
#define CORE_READING_H

#include <stdbool.h>
#include <stdint.h>

/* The words of `chronyc tracking`, in the row's `status` column. */
enum clock_status {
    STATUS_UNKNOWN, /* nobody can tell */
    STATUS_NORMAL,
    STATUS_INSERT_SECOND,
    STATUS_DELETE_SECOND,
    STATUS_NOT_SYNCHRONISED,
};

/* Our own verdict: "Normal" survives a dead server for hours, this does not. */
enum sync_state {
    SYNC_UNKNOWN,
    SYNC_SYNCED,
    SYNC_COASTING,    /* was synchronised; the server is silent */
    SYNC_UNSYNCED,    /* the daemon says so, or a second server disagrees beyond both bounds */
    SYNC_UNREACHABLE, /* no daemon answers */
};

enum source_id { SOURCE_NONE, SOURCE_CHRONY, SOURCE_CHRONYC, SOURCE_KERNEL, SOURCE_SNTP };

/* Validity bits, shared by struct reading and struct record. */
enum reading_valid {
    VALID_CLOCK_DIFF = 1u << 0,
    VALID_STRATUM = 1u << 1,
    VALID_REF_AGE = 1u << 2,
    VALID_LAST_OFFSET = 1u << 3,
    VALID_FREQ = 1u << 4,
    VALID_ROOT_DELAY = 1u << 5,
    VALID_ROOT_DISPERSION = 1u << 6,
    VALID_ERROR_BOUND = 1u << 7,
    VALID_UPDATE_INTERVAL = 1u << 8,
    VALID_REACH = 1u << 9,
};

struct reading {
    uint32_t valid; /* VALID_* */
    enum source_id source;
    enum clock_status status;
    bool daemon_answered; /* false: a daemon was asked and did not answer, or there is none */
    bool daemon_expected; /* it answered before, holds its port in silence, or chronyc is there */
    bool local_only;      /* the daemon says Normal, but follows nothing except its own clock */
    bool contradicted;    /* a second server disagrees beyond the sum of the bounds */
    bool reachable;       /* VALID_REACH: at least one server has answered lately */
    uint16_t stratum;
    int64_t clock_diff_ns;  /* + fast; what the daemon has not corrected yet */
    int64_t ref_age_ns;     /* since the source's last update, counted on CLOCK_MONOTONIC */
    int64_t last_offset_ns; /* + fast; measured at the last update */
    int64_t freq_ppt;       /* parts per 10^12 (1e-6 ppm); + the uncorrected clock runs fast */
    int64_t root_delay_ns;  /* round trip to the primary reference */
    int64_t root_dispersion_ns;
    int64_t error_bound_ns;     /* abs(clock_diff) + root_dispersion + root_delay / 2 */
    int64_t update_interval_ns; /* the longer of the last update interval and the poll interval */
};

/* The words used in rows, logs and status files; never NULL. */
const char *clock_status_name(enum clock_status status);
const char *sync_state_name(enum sync_state state);
const char *source_id_name(enum source_id source);

/* Was this instant good: status Normal/Insert/Delete and state synced. */
bool reading_is_good(enum clock_status status, enum sync_state state);

#endif
