/*
 * Any text as chrony_address and as ntp_servers: taken or refused, and nobody is asked for a name.
 */
#include "fuzz.h"

#include "timesource/chronyd.h"
#include "timesource/sntp.h"
#include "timesource/udp_address.h"

#include <string.h>

#define TEXT_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX];
    char host[UDP_HOST_MAX];
    uint16_t port = 0;
    size_t length = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, length);
    text[length] = '\0';
    if (udp_address_split(text, 123, host, &port) == 0) {
        FUZZ_REQUIRE(port != 0 && strlen(host) > 0 && strlen(host) < UDP_HOST_MAX);
    }
    struct timesource *source = NULL;
    if (chronyd_open(&source, text) == 0) {
        timesource_close(source);
    }
    if (sntp_open(&source, text) == 0) {
        static struct source_report report;
        report = (struct source_report){0};
        timesource_report(source, &report);
        FUZZ_REQUIRE(report.probe_count <= REPORT_PROBES_MAX);
        timesource_close(source);
    }
    return 0;
}
