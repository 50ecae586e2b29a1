/*
 * Everything a time source knows, for the status files and --probe: the long form of a reading.
 *
 * Signs and units are the source's own here (as chronyd sends them), because the text must equal
 * `chronyc tracking` byte for byte; struct reading has our one convention. Plain data, no pointers.
 */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include <stdint.h>

#define REPORT_SOURCES_MAX 16
#define REPORT_PROBES_MAX  8
#define REPORT_NAME_MAX    64

enum report_valid {
    REPORT_TRACKING = 1u << 0,
    REPORT_SOURCES = 1u << 1,
    REPORT_ACTIVITY = 1u << 2,
    REPORT_KERNEL = 1u << 3,
    REPORT_PROBES = 1u << 4,
};

/* Families as in chrony's protocol. */
enum report_family { FAMILY_NONE = 0, FAMILY_IPV4 = 1, FAMILY_IPV6 = 2, FAMILY_ID = 3 };

struct report_address {
    uint8_t bytes[16]; /* IPv4 in the first four */
    uint16_t family;
};

/* chronyd's TRACKING reply. Positive correction: the clock is slow. Positive last offset: it was
 * fast. */
struct report_tracking {
    uint32_t ref_id;
    struct report_address address;
    uint16_t stratum;
    uint16_t leap; /* 0 normal, 1 insert, 2 delete, 3 not synchronised */
    int64_t ref_time_s;
    uint32_t ref_time_ns;
    double correction_s;
    double last_offset_s;
    double rms_offset_s;
    double freq_ppm;
    double resid_freq_ppm;
    double skew_ppm;
    double root_delay_s;
    double root_dispersion_s;
    double update_interval_s;
};

/* SOURCE_DATA and SOURCESTATS of one server. Positive offsets: our clock is ahead of that server.
 */
struct report_source {
    struct report_address address;
    int16_t poll_log2_s;
    uint16_t stratum;
    uint16_t state; /* 0 selected, 1 unusable, 2 falseticker, 3 jittery, 4 combined, 5 selectable */
    uint16_t mode;  /* 0 client, 1 peer, 2 reference clock */
    uint16_t reach; /* 8 bits, newest lowest */
    uint32_t since_sample_s; /* UINT32_MAX = no sample yet */
    double original_offset_s;
    double adjusted_offset_s;
    double offset_error_s;
    uint32_t stats_valid; /* the fields below */
    uint32_t samples;
    uint32_t runs;
    uint32_t span_s;
    double std_dev_s;
    double resid_freq_ppm;
    double skew_ppm;
    double est_offset_s;
    double est_offset_error_s;
};

struct report_activity {
    uint32_t online;
    uint32_t offline;
    uint32_t burst_online;
    uint32_t burst_offline;
    uint32_t unresolved;
};

/* adjtimex, read only, units made uniform (STA_NANO or not). */
struct report_kernel {
    int32_t state;   /* adjtimex's return value */
    uint32_t status; /* STA_* */
    int64_t offset_ns;
    int64_t freq_ppt;
    int64_t max_error_us;
    int64_t est_error_us;
    int64_t tick_us;
    int32_t tai_s;
    int32_t reserved;
};

/* The newest SNTP probe of one configured server. Positive offset: our clock is fast. */
struct report_probe {
    char server[REPORT_NAME_MAX];
    uint32_t answered; /* 0: no valid answer yet, the offsets are absent */
    uint32_t asked;
    uint32_t rejected;
    uint16_t stratum;
    uint16_t refused; /* 1: the server said DENY or RSTR and is not asked again */
    int64_t offset_ns;
    int64_t delay_ns;
    int64_t bound_ns; /* delay/2 + the server's own root distance, grown with age */
    int64_t age_ns;
};

struct source_report {
    uint32_t valid;        /* REPORT_* */
    uint32_t source_count; /* of the daemon; at most REPORT_SOURCES_MAX are in sources[] */
    uint32_t probe_count;
    uint32_t replies;          /* good answers since start */
    uint32_t replies_rejected; /* short, foreign, late, malformed */
    uint32_t replies_missing;  /* asked, nothing came by the deadline */
    uint32_t refusal;          /* chronyd's status code when it refuses (2, 18, 19), else 0 */
    struct report_tracking tracking;
    struct report_activity activity;
    struct report_kernel kernel;
    struct report_source sources[REPORT_SOURCES_MAX];
    struct report_probe probes[REPORT_PROBES_MAX];
};

#endif
