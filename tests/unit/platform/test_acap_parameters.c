#include "platform/platform.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// What the walk told, as "key=value " in its order.
struct told {
    char text[512];
    int answer;
};

static int tell(void *ctx, const char *key, const char *value)
{
    struct told *told = ctx;
    size_t used = strlen(told->text);
    snprintf(told->text + used, sizeof told->text - used, "%s=%s ", key, value);
    return told->answer;
}

static const char *const names[] = {
    "UploadIntervalS",
    "PresignedUrlTimeLog",
    "PresignedUrlNtpStatus",
    "PresignedUrlNtpFailedStatus",
    "UrlSource",
    "LogLevel",
};

static int as_installed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char variable[64];
        snprintf(variable, sizeof variable, "AX_%s", names[i]);
        setenv(variable, "", 1);
    }
    setenv("AX_UploadIntervalS", "0", 1);
    setenv("AX_LogLevel", "default", 1);
    unsetenv("AX_REFUSE");
    return 0;
}

static int nothing_is_left(void **state)
{
    (void)state;
    void *library = dlopen("libaxparameter.so.1", RTLD_NOW | RTLD_NOLOAD);
    if (library == NULL) {
        return -1;
    }
    int (*outstanding)(void) = NULL;
    void *address = dlsym(library, "fake_axparameter_outstanding");
    memcpy(&outstanding, &address, sizeof outstanding);
    int left = outstanding();
    dlclose(library);
    return left;
}

static void parameters_nobody_has_set_are_not_told(void **state)
{
    (void)state;
    struct told told = {0};
    assert_int_equal(platform_each_parameter(tell, &told), 0);
    assert_string_equal(told.text, "");
}

static void set_parameters_are_told_by_their_setting(void **state)
{
    (void)state;
    setenv("AX_UploadIntervalS", "3600", 1);
    setenv("AX_PresignedUrlTimeLog", "https://a.example/log?X=1", 1);
    setenv("AX_PresignedUrlNtpStatus", "https://a.example/status", 1);
    setenv("AX_PresignedUrlNtpFailedStatus", "https://a.example/failed", 1);
    setenv("AX_UrlSource", "https://a.example/urls", 1);
    setenv("AX_LogLevel", "debug", 1);
    struct told told = {0};
    assert_int_equal(platform_each_parameter(tell, &told), 0);
    assert_string_equal(told.text, "upload_interval_s=3600 "
                                   "presigned_url_time_log=https://a.example/log?X=1 "
                                   "presigned_url_ntp_status=https://a.example/status "
                                   "presigned_url_ntp_failed_status=https://a.example/failed "
                                   "url_source=https://a.example/urls log_level=debug ");
}

static void a_parameter_that_cannot_be_read_counts_as_not_set(void **state)
{
    (void)state;
    unsetenv("AX_PresignedUrlTimeLog");
    setenv("AX_LogLevel", "info", 1);
    struct told told = {0};
    assert_int_equal(platform_each_parameter(tell, &told), 0);
    assert_string_equal(told.text, "log_level=info ");
}

static void a_visitor_that_refuses_ends_the_walk(void **state)
{
    (void)state;
    setenv("AX_UploadIntervalS", "3600", 1);
    setenv("AX_LogLevel", "info", 1);
    struct told told = {.answer = -22};
    assert_int_equal(platform_each_parameter(tell, &told), -22);
    assert_string_equal(told.text, "upload_interval_s=3600 ");
}

static void a_library_that_refuses_leaves_the_files_to_decide(void **state)
{
    (void)state;
    setenv("AX_UploadIntervalS", "3600", 1);
    setenv("AX_REFUSE", "1", 1);
    struct told told = {0};
    assert_int_equal(platform_each_parameter(tell, &told), 0);
    assert_string_equal(told.text, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, as_installed, nothing_is_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parameters_nobody_has_set_are_not_told),
        TEST(set_parameters_are_told_by_their_setting),
        TEST(a_parameter_that_cannot_be_read_counts_as_not_set),
        TEST(a_visitor_that_refuses_ends_the_walk),
        TEST(a_library_that_refuses_leaves_the_files_to_decide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
