#include "timesource/tracking_parse.h"

#include "test_data.h"
#include "timesource/tracking_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t read_text(const char *vector, char *text)
{
    char name[64];
    snprintf(name, sizeof name, "chrony/%s.txt", vector);
    memset(text, 0, TRACKING_TEXT_MAX);
    return test_data_read(name, text, TRACKING_TEXT_MAX);
}

static void vectors_come_back_as_they_were_printed(void **state)
{
    (void)state;
    static const char *const vectors[] = {
        "v01-slow",          "v02-fast",          "v03-never-synchronised",
        "v04-local-only",    "v05-ipv6",          "v06-refclock",
        "v07-insert-second", "v08-delete-second", "v09-lost",
        "v10-restarted",     "e01-odd",           "e02-large",
        "e03-mapped",
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char text[TRACKING_TEXT_MAX];
        char again[TRACKING_TEXT_MAX];
        struct report_tracking tracking;
        size_t length = read_text(vectors[i], text);
        assert_int_equal(tracking_parse(text, length, &tracking), 0);
        tracking_text(again, sizeof again, &tracking);
        // What rounds to 0 has lost the word that told its sign.
        if (strncmp(vectors[i], "e01", 3) != 0 && strncmp(vectors[i], "v09", 3) != 0) {
            assert_string_equal(again, text);
        }
    }
}

static void fields_get_their_signs(void **state)
{
    (void)state;
    char text[TRACKING_TEXT_MAX];
    struct report_tracking t;
    size_t length = read_text("v02-fast", text);
    assert_int_equal(tracking_parse(text, length, &t), 0);
    assert_true(t.correction_s < -0.05000 && t.correction_s > -0.05001);
    assert_true(t.freq_ppm < -0.26 && t.freq_ppm > -0.27);
    assert_int_equal(t.ref_id, 0x7f000001);
    assert_int_equal(t.address.family, FAMILY_IPV4);
    assert_int_equal(t.ref_time_s, INT64_C(1795348024));
    assert_int_equal(t.stratum, 4);
    assert_int_equal(t.leap, 0);
}

static void order_of_lines_does_not_matter(void **state)
{
    (void)state;
    char text[TRACKING_TEXT_MAX];
    char turned[TRACKING_TEXT_MAX] = "A later line    : of no meaning here\n";
    struct report_tracking t;
    size_t length = read_text("v01-slow", text);
    while (length > 0) {
        size_t start = length - 1;
        while (start > 0 && text[start - 1] != '\n') {
            start--;
        }
        strncat(turned, text + start, length - start);
        length = start;
    }
    assert_int_equal(tracking_parse(turned, strlen(turned), &t), 0);
    assert_int_equal(t.stratum, 4);
}

static void missing_line_is_refused(void **state)
{
    (void)state;
    char text[TRACKING_TEXT_MAX];
    size_t length = read_text("v01-slow", text);
    for (size_t start = 0; start < length;) {
        char without[TRACKING_TEXT_MAX] = "";
        struct report_tracking t;
        size_t next = (size_t)(strchr(text + start, '\n') - text) + 1;
        memcpy(without, text, start);
        memcpy(without + start, text + next, length - next);
        assert_int_equal(tracking_parse(without, length - (next - start), &t), -EBADMSG);
        start = next;
    }
}

static void texts_that_are_no_tracking_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "506 Cannot talk to daemon\n", " : \n", "\n\n"};
    struct report_tracking t;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(tracking_parse(texts[i], strlen(texts[i]), &t), -EBADMSG);
    }
}

static void bad_values_are_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "System time     : nan seconds slow of NTP time\n",
        "System time     : inf seconds fast of NTP time\n",
        "System time     : 0x1p9 seconds fast of NTP time\n",
        "System time     : 0.1 seconds late of NTP time\n",
        "Last offset     : 1 s\n",
        "Skew            : ppm\n",
        "Stratum         : -1\n",
        "Stratum         : 70000\n",
        "Leap status     : Abnormal\n",
        "Ref time (UTC)  : yesterday\n",
        "Reference ID    : XYZ (127.0.0.1)\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[TRACKING_TEXT_MAX];
        struct report_tracking t;
        read_text("v01-slow", text);
        strcat(text, lines[i]); // a later line of the same label must be good, too
        assert_int_equal(tracking_parse(text, strlen(text), &t), -EBADMSG);
    }
}

static void reference_of_an_old_chronyc_is_dotted(void **state)
{
    (void)state;
    char text[TRACKING_TEXT_MAX];
    struct report_tracking t;
    read_text("v01-slow", text);
    strcat(text, "Reference ID    : 192.0.2.9 (192.0.2.9)\n");
    assert_int_equal(tracking_parse(text, strlen(text), &t), 0);
    assert_int_equal(t.ref_id, 0xc0000209);
}

static void endless_line_is_refused(void **state)
{
    (void)state;
    char text[4096];
    struct report_tracking t;
    memset(text, 'x', sizeof text);
    assert_int_equal(tracking_parse(text, sizeof text, &t), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_come_back_as_they_were_printed),
        cmocka_unit_test(fields_get_their_signs),
        cmocka_unit_test(order_of_lines_does_not_matter),
        cmocka_unit_test(missing_line_is_refused),
        cmocka_unit_test(texts_that_are_no_tracking_are_refused),
        cmocka_unit_test(bad_values_are_refused),
        cmocka_unit_test(reference_of_an_old_chronyc_is_dotted),
        cmocka_unit_test(endless_line_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
