#include "core/reading.h"

static const char *const status_names[] = {
    [STATUS_UNKNOWN] = "Unknown",
    [STATUS_NORMAL] = "Normal",
    [STATUS_INSERT_SECOND] = "Insert second",
    [STATUS_DELETE_SECOND] = "Delete second",
    [STATUS_NOT_SYNCHRONISED] = "Not synchronised",
};

static const char *const state_names[] = {
    [SYNC_UNKNOWN] = "unknown",   [SYNC_SYNCED] = "synced",           [SYNC_COASTING] = "coasting",
    [SYNC_UNSYNCED] = "unsynced", [SYNC_UNREACHABLE] = "unreachable",
};

static const char *const source_names[] = {
    [SOURCE_NONE] = "none",     [SOURCE_CHRONY] = "chrony", [SOURCE_CHRONYC] = "chronyc",
    [SOURCE_KERNEL] = "kernel", [SOURCE_SNTP] = "sntp",
};

#define NAME_OF(table, index)                                                                      \
    ((unsigned)(index) < sizeof(table) / sizeof((table)[0]) ? (table)[index] : (table)[0])

const char *clock_status_name(enum clock_status status)
{
    return NAME_OF(status_names, status);
}

const char *sync_state_name(enum sync_state state)
{
    return NAME_OF(state_names, state);
}

const char *source_id_name(enum source_id source)
{
    return NAME_OF(source_names, source);
}

bool reading_is_good(enum clock_status status, enum sync_state state)
{
    bool told_good =
        status == STATUS_NORMAL || status == STATUS_INSERT_SECOND || status == STATUS_DELETE_SECOND;
    return told_good && state == SYNC_SYNCED;
}
