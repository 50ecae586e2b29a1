#include "core/delivery.h"

static const char *const object_names[OBJECT_COUNT] = {
    [OBJECT_TIME_LOG] = "time_log.csv",
    [OBJECT_NTP_STATUS] = "ntp_status.txt",
    [OBJECT_NTP_FAILED_STATUS] = "ntp_failed_status.txt",
};

const char *delivery_object_name(enum delivery_object object)
{
    return object_names[object];
}
