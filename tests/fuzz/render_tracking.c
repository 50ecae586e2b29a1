/*
 * Renders tracking replies from stdin, 104 bytes each, to stdout: each text, then one NUL.
 * For test_chronyc_equal.py, which shows the same bytes to the real chronyc.
 */
#include "timesource/chrony_wire.h"
#include "timesource/tracking_text.h"

#include <stdio.h>
#include <stdlib.h>

#define REPLY_SIZE 104

int main(void)
{
    uint8_t reply[REPLY_SIZE];
    while (fread(reply, sizeof reply, 1, stdin) == 1) {
        char text[TRACKING_TEXT_MAX];
        struct report_tracking tracking;
        chrony_decode_tracking(reply, &tracking);
        size_t length = tracking_text(text, sizeof text, &tracking);
        if (fwrite(text, length + 1, 1, stdout) != 1) {
            return EXIT_FAILURE;
        }
    }
    return feof(stdin) ? EXIT_SUCCESS : EXIT_FAILURE;
}
