#include "records.h"

#include "bench.h"

static struct record record_of(const struct bench_row *row)
{
    static const uint8_t statuses[] = {STATUS_NORMAL, STATUS_INSERT_SECOND, STATUS_DELETE_SECOND,
                                       STATUS_NOT_SYNCHRONISED};
    return (struct record){
        .seq = row->seq,
        .boot_id = BENCH_BOOT_ID,
        .valid = VALID_CLOCK_DIFF | VALID_STRATUM | VALID_REF_AGE | VALID_LAST_OFFSET | VALID_FREQ |
                 VALID_ROOT_DELAY | VALID_ROOT_DISPERSION | VALID_ERROR_BOUND,
        .read_window_ns = row->window_ns,
        .wall_ns = row->wall_us * 1000,
        .elapsed_mono_us = row->elapsed_us,
        .elapsed_wall_us = row->elapsed_wall_us,
        .elapsed_raw_ns = row->elapsed_raw_ns,
        .clock_diff_ns = row->diff_ns,
        .ref_age_ns = row->ref_age_ms * 1000000,
        .last_offset_ns = row->last_offset_ns,
        .freq_ppt = row->freq_ppt,
        .root_delay_ns = row->root_delay_ns,
        .root_dispersion_ns = row->root_dispersion_ns,
        .error_bound_ns = row->error_bound_ns,
        .stratum = BENCH_STRATUM,
        .status = statuses[row->status_number],
        .sync_state = SYNC_SYNCED,
        .source = SOURCE_CHRONY,
    };
}

const struct record *bench_records(void)
{
    static struct record records[BENCH_ROWS];
    if (records[0].seq == 0) {
        const struct bench_row *rows = bench_rows();
        for (int i = 0; i < BENCH_ROWS; i++) {
            records[i] = record_of(&rows[i]);
        }
    }
    return records;
}
