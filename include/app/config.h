/*
 * The settings, as one immutable struct, and where each value came from. What each means, its range
 * and its default are in the table, src/app/settings.c.
 */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_URL_MAX  4096
#define CONFIG_TEXT_MAX 512
#define CONFIG_MAX      40 /* at least the number of settings */

enum csv_format { CSV_FORMAT_RICH, CSV_FORMAT_LEGACY };
enum compress { COMPRESS_NONE, COMPRESS_GZIP };

struct config {
    uint32_t sample_interval_ms;
    uint32_t commit_interval_s;
    uint32_t upload_interval_s;
    uint32_t first_upload_s;
    double upload_jitter;
    char presigned_url_time_log[CONFIG_URL_MAX];
    char presigned_url_ntp_status[CONFIG_URL_MAX];
    char presigned_url_ntp_failed_status[CONFIG_URL_MAX];
    char url_source[CONFIG_URL_MAX];
    char s3_endpoint[CONFIG_TEXT_MAX];
    char s3_region[CONFIG_TEXT_MAX];
    char s3_bucket[CONFIG_TEXT_MAX];
    char s3_prefix[CONFIG_TEXT_MAX];
    char s3_access_key_id[CONFIG_TEXT_MAX];
    char s3_secret_access_key[CONFIG_TEXT_MAX];
    bool allow_http;
    char ca_bundle[CONFIG_TEXT_MAX];
    char proxy[CONFIG_TEXT_MAX];
    char spool_dir[CONFIG_TEXT_MAX];
    char ring_dir[CONFIG_TEXT_MAX];
    uint32_t spool_quota_mib;
    uint32_t spool_keep_free_mib;
    uint32_t csv_format; /* enum csv_format */
    uint32_t compress;   /* enum compress */
    char chrony_address[CONFIG_TEXT_MAX];
    char chronyc_path[CONFIG_TEXT_MAX];
    char ntp_servers[CONFIG_TEXT_MAX];
    uint32_t log_level; /* enum log_level */

    uint8_t origin[CONFIG_MAX]; /* enum config_origin, by the setting's place in the table */
};

enum config_origin {
    ORIGIN_DEFAULT,
    ORIGIN_PACKAGE,
    ORIGIN_LOCAL,
    ORIGIN_DEVICE,
    ORIGIN_ENVIRONMENT,
    ORIGIN_COMMAND_LINE,
};

struct config_error {
    char text[768]; /* names the setting, the value and what is wanted; one line */
};

#endif
