/*
 * Any text as the output of chronyc: what parses must render and convert, free of nan and inf.
 */
#include "fuzz.h"

#include "timesource/chrony_reading.h"
#include "timesource/tracking_parse.h"
#include "timesource/tracking_text.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    // An absurd but finite number of chronyc's is as long as a double can be.
    static char text[TRACKING_TEXT_MAX + 9 * 320];
    struct report_tracking tracking;
    struct reading reading;
    if (tracking_parse((const char *)data, size, &tracking) != 0) {
        return 0;
    }
    size_t length = tracking_text(text, sizeof text, &tracking);
    FUZZ_REQUIRE(length < sizeof text - 1);
    FUZZ_REQUIRE(isfinite(tracking.correction_s) && isfinite(tracking.last_offset_s) &&
                 isfinite(tracking.rms_offset_s) && isfinite(tracking.freq_ppm) &&
                 isfinite(tracking.resid_freq_ppm) && isfinite(tracking.skew_ppm) &&
                 isfinite(tracking.root_delay_s) && isfinite(tracking.root_dispersion_s) &&
                 isfinite(tracking.update_interval_s));
    chrony_reading(&tracking, &reading);
    FUZZ_REQUIRE(reading.error_bound_ns >= 0);
    return 0;
}
