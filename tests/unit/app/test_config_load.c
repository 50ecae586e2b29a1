#include "app/config_load.h"

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char scratch[SCRATCH_PATH_MAX];
static struct config config;
static struct config_error error;

static int make_scratch(void **state)
{
    (void)state;
    return scratch_make(scratch, sizeof scratch);
}

static int remove_scratch(void **state)
{
    (void)state;
    scratch_remove(scratch);
    return 0;
}

static int load_text(const char *json)
{
    char path[SCRATCH_PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/config.json", scratch);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(json, file);
    fclose(file);
    struct config_inputs inputs = {.file = path};
    return config_load(&config, &inputs, &error);
}

static int load_set(const char *assignment)
{
    struct config_inputs inputs = {.file = "/dev/null"};
    char *copy = strdup(assignment);
    inputs.assignments = &copy;
    inputs.assignment_count = 1;
    // An empty file is no JSON object, so give one.
    char path[SCRATCH_PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/empty.json", scratch);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{}", file);
    fclose(file);
    inputs.file = path;
    int result = config_load(&config, &inputs, &error);
    free(copy);
    return result;
}

static void config_has_the_documented_defaults(void **state)
{
    (void)state;
    assert_int_equal(load_text("{}"), 0);
    assert_int_equal(config.sample_interval_ms, 1000);
    assert_int_equal(config.commit_interval_s, 60);
    assert_int_equal(config.upload_interval_s, 86400);
    assert_int_equal(config.first_upload_s, 60);
    assert_int_equal(config.spool_quota_mib, 64);
    assert_int_equal(config.spool_keep_free_mib, 16);
    assert_string_equal(config.chrony_address, "127.0.0.1:323");
    assert_false(config.allow_http);
    assert_int_equal(config.compress, COMPRESS_NONE);
}

static void config_takes_numbers_text_and_booleans_from_json(void **state)
{
    (void)state;
    assert_int_equal(load_text("{ \"upload_interval_s\": 3600, \"s3_prefix\": \"site/\",\n"
                               "  \"allow_http\": true, \"upload_jitter\": 0.25,"
                               "  \"csv_format\": \"legacy\", \"compress\": \"gzip\" }"),
                     0);
    assert_int_equal(config.upload_interval_s, 3600);
    assert_string_equal(config.s3_prefix, "site/");
    assert_true(config.allow_http);
    assert_true(config.upload_jitter > 0.2 && config.upload_jitter < 0.3);
    assert_int_equal(config.csv_format, CSV_FORMAT_LEGACY);
    assert_int_equal(config.compress, COMPRESS_GZIP);
}

static void config_lets_the_higher_layer_win(void **state)
{
    (void)state;
    char env[] = "NTP_LOGGER_UPLOAD_INTERVAL_S=200";
    char other[] = "HOME=/root";
    char *environment[] = {other, env, NULL};
    char text[] = "commit_interval_s=30";
    char *assignment = text;
    char path[SCRATCH_PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/layers.json", scratch);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"upload_interval_s\": 100, \"commit_interval_s\": 20, \"first_upload_s\": 9}", file);
    fclose(file);
    struct config_inputs inputs = {.file = path,
                                   .assignments = &assignment,
                                   .assignment_count = 1,
                                   .environment = environment};
    assert_int_equal(config_load(&config, &inputs, &error), 0);
    assert_int_equal(config.upload_interval_s, 200);
    assert_int_equal(config.commit_interval_s, 30);
    assert_int_equal(config.first_upload_s, 9);
}

static void expect_refused(const char *assignment, const char *word)
{
    memset(&config, 0xa5, sizeof config);
    assert_int_equal(load_set(assignment), -EINVAL);
    if (strstr(error.text, word) == NULL) {
        fail_msg("%s: '%s' does not name %s", assignment, error.text, word);
    }
    // Untouched: a refused configuration changes nothing.
    assert_int_equal(((unsigned char *)&config)[0], 0xa5);
}

static void config_refuses_bad_values_by_name_value_and_range(void **state)
{
    (void)state;
    expect_refused("upload_interval_s=0", "upload_interval_s is '0': want a whole number 1..");
    expect_refused("upload_interval_s=-1", "'-1'");
    expect_refused("upload_interval_s=soon", "'soon'");
    expect_refused("upload_interval_s=1000000000000", "'1000000000000'");
    expect_refused("upload_interval_s=1.5", "'1.5'");
    expect_refused("upload_interval_s=", "''");
    expect_refused("upload_interval_s=0x10", "'0x10'");
    expect_refused("upload_jitter=nan", "'nan'");
    expect_refused("upload_jitter=1.01", "0..1");
    expect_refused("allow_http=maybe", "true or false");
    expect_refused("csv_format=xml", "rich|legacy");
    expect_refused("compress=zstd", "none|gzip");
    expect_refused("spool_quota_mib=0", "spool_quota_mib");
    expect_refused("presigned_url_time_log=ftp://host/x", "http(s) URL");
    expect_refused("presigned_url_time_log=https:///x", "http(s) URL");
    expect_refused("presigned_url_time_log=http://host/x", "allow_http");
    expect_refused("no_such_setting=1", "unknown setting 'no_such_setting'");
    expect_refused("upload_interval_s", "no KEY=VALUE");
    expect_refused("s3_bucket=b", "s3_endpoint");
    expect_refused("spool_dir=a\nb", "printable");
    expect_refused("chrony_address=127.0.0.1:99999", "chrony_address is '127.0.0.1:99999'");
    expect_refused("chrony_address=localhost", "chrony_address is 'localhost'");
    expect_refused("ntp_servers=a,b:0", "ntp_servers has 'b:0'");
}

static void config_tells_line_and_column_of_malformed_json(void **state)
{
    (void)state;
    assert_int_equal(load_text("{\n  \"upload_interval_s\": 60,,\n}"), -EINVAL);
    assert_non_null(strstr(error.text, "line 2, column"));
    assert_int_equal(load_text("[1]"), -EINVAL);
    assert_non_null(strstr(error.text, "not a JSON object"));
    assert_int_equal(load_text("{\"upload_interval_s\": [60]}"), -EINVAL);
    assert_non_null(strstr(error.text, "upload_interval_s"));
    assert_int_equal(load_text(""), -EINVAL);
}

static void config_never_echoes_a_secret(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    assert_int_equal(load_text("{\"presigned_url_time_log\": \"https://h/k?X-Amz-Sig=CANARY\","
                               " \"s3_endpoint\": \"https://h\", \"s3_region\": \"r\","
                               " \"s3_bucket\": \"b\", \"s3_access_key_id\": \"AKID\","
                               " \"s3_secret_access_key\": \"CANARY\"}"),
                     0);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    config_print(&config, out);
    fclose(out);
    assert_null(strstr(text, "CANARY"));
    assert_non_null(strstr(text, "https://h/k?********"));
    free(text);
    expect_refused("presigned_url_time_log=gopher://h/k?CANARY", "want");
    assert_null(strstr(error.text, "CANARY"));
}

static void config_print_tells_every_setting_and_its_origin(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    assert_int_equal(load_set("upload_interval_s=77"), 0);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    config_print(&config, out);
    fclose(out);
    assert_non_null(strstr(text, "upload_interval_s               = 77  (command line)"));
    assert_non_null(strstr(text, "commit_interval_s               = 60  (default)"));
    free(text);
}

static void config_file_that_was_named_must_exist(void **state)
{
    (void)state;
    struct config_inputs inputs = {.file = "/nonexistent/config.json"};
    assert_int_equal(config_load(&config, &inputs, &error), -EINVAL);
    assert_non_null(strstr(error.text, "/nonexistent/config.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_has_the_documented_defaults),
        cmocka_unit_test(config_takes_numbers_text_and_booleans_from_json),
        cmocka_unit_test(config_lets_the_higher_layer_win),
        cmocka_unit_test(config_refuses_bad_values_by_name_value_and_range),
        cmocka_unit_test(config_tells_line_and_column_of_malformed_json),
        cmocka_unit_test(config_never_echoes_a_secret),
        cmocka_unit_test(config_print_tells_every_setting_and_its_origin),
        cmocka_unit_test(config_file_that_was_named_must_exist),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
