#include "app/config_load.h"

#include "base/json.h"
#include "config_check.h"
#include "platform/platform.h"
#include "redact.h"
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_TEXT_MAX CONFIG_URL_MAX

static char package_file[PATH_MAX];
static char local_file[PATH_MAX];

static const char *const origin_names[] = {
    [ORIGIN_DEFAULT] = "default",         [ORIGIN_PACKAGE] = "config.json",
    [ORIGIN_LOCAL] = "localdata",         [ORIGIN_DEVICE] = "device parameter",
    [ORIGIN_ENVIRONMENT] = "environment", [ORIGIN_COMMAND_LINE] = "command line",
};

// What is being loaded, and on whose word.
struct loading {
    struct config *config;
    struct config_error *error;
    enum config_origin origin;
    const char *where; // prefix of messages: a file name, "environment", "--set"
};

static int fail_prefixed(struct loading *loading)
{
    char text[sizeof loading->error->text];
    memcpy(text, loading->error->text, sizeof text);
    return setting_error(loading->error, "%.200s: %.500s", loading->where, text);
}

static int apply(struct loading *loading, const char *name, const char *value)
{
    const struct setting *setting = setting_find(name);
    if (setting == NULL) {
        char shown[REDACT_MAX];
        redact(shown, name);
        return setting_error(loading->error,
                             "%s: unknown setting '%.64s'; --help lists the settings there are",
                             loading->where, shown);
    }
    if (setting_set(loading->config, setting, value, loading->error) != 0) {
        return fail_prefixed(loading);
    }
    loading->config->origin[setting - settings] = (uint8_t)loading->origin;
    return 0;
}

// ---- files -------------------------------------------------------------------------------------

static int apply_member(struct loading *loading, const struct json_member *member)
{
    char number[40];
    switch (member->type) {
    case JSON_STRING:
        return apply(loading, member->key, member->string);
    case JSON_BOOL:
        return apply(loading, member->key, member->boolean ? "true" : "false");
    case JSON_NUMBER:
        snprintf(number, sizeof number, "%.15g", member->number);
        return apply(loading, member->key, number);
    case JSON_NULL:
    case JSON_OTHER:
        break;
    }
    return setting_error(loading->error, "%s: '%.64s' must be text, a number, true or false",
                         loading->where, member->key);
}

static int apply_json(struct loading *loading, const char *text)
{
    struct json *json = NULL;
    struct json_position at = {0};
    int error = json_parse(&json, text, &at);
    if (error == -EBADMSG) {
        return setting_error(loading->error, "%s: not valid JSON at line %u, column %u",
                             loading->where, at.line, at.column);
    }
    if (error != 0) {
        return setting_error(loading->error, "%s: %s", loading->where,
                             error == -EPROTO
                                 ? "not a JSON object: want { \"setting\": value, ... }"
                             : error == -E2BIG ? "longer than 64 KiB"
                                               : strerror(-error));
    }
    struct json_member member;
    for (size_t i = 0; error == 0 && json_member_at(json, i, &member); i++) {
        error = apply_member(loading, &member);
    }
    json_free(json);
    return error;
}

static int read_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    size_t used = 0;
    ssize_t got = 1;
    while (got > 0 && used < size - 1) {
        got = read(fd, text + used, size - 1 - used);
        if (got < 0) {
            got = -errno;
            break;
        }
        used += (size_t)got;
    }
    close(fd);
    text[used] = '\0';
    return got < 0 ? (int)got : 0;
}

static int apply_file(struct loading *loading, bool must_exist)
{
    size_t size = JSON_TEXT_MAX + 2;
    char *text = malloc(size);
    if (text == NULL) {
        return setting_error(loading->error, "out of memory");
    }
    int error = read_file(loading->where, text, size);
    if (error == -ENOENT && !must_exist) {
        error = 0;
    } else if (error != 0) {
        error =
            setting_error(loading->error, "%s: can't read: %s", loading->where, strerror(-error));
    } else {
        error = apply_json(loading, text);
    }
    explicit_bzero(text, size); // it held the URLs
    free(text);
    return error;
}

// ---- environment, command line, device ----------------------------------------------------------

static int apply_assignment(struct loading *loading, const char *assignment)
{
    char name[64];
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment) {
        char shown[REDACT_MAX];
        redact(shown, assignment);
        return setting_error(loading->error, "%s: '%.64s' is no KEY=VALUE", loading->where, shown);
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - assignment), assignment);
    return apply(loading, name, equals + 1);
}

static int apply_environment(struct loading *loading, char *const *environment)
{
    const size_t prefix = strlen(CONFIG_ENVIRONMENT_PREFIX);
    for (; environment != NULL && *environment != NULL; environment++) {
        if (strncmp(*environment, CONFIG_ENVIRONMENT_PREFIX, prefix) != 0) {
            continue;
        }
        int error = apply_assignment(loading, *environment + prefix);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int apply_parameter(void *ctx, const char *key, const char *value)
{
    struct loading *loading = ctx;
    // A parameter that is still empty has not been set on the device: the file's value stands.
    return *value == '\0' || setting_find(key) == NULL ? 0 : apply(loading, key, value);
}

// ---- the whole ---------------------------------------------------------------------------------

static int find_files(struct config_error *error)
{
    char dir[PATH_MAX - 16];
    int result = platform_package_dir(dir, sizeof dir);
    if (result == 0) {
        snprintf(package_file, sizeof package_file, "%s/config.json", dir);
        result = platform_local_dir(dir, sizeof dir);
    }
    if (result != 0) {
        return setting_error(error, "can't tell where the program is: %s", strerror(-result));
    }
    snprintf(local_file, sizeof local_file, "%s/config.json", dir);
    return 0;
}

const char *config_package_file(void)
{
    return package_file;
}

const char *config_local_file(void)
{
    return local_file;
}

static int apply_defaults(struct loading *loading)
{
    for (size_t i = 0; i < setting_count; i++) {
        int error = apply(loading, settings[i].name, settings[i].initial);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int apply_files(struct loading *loading, const char *file)
{
    if (file != NULL) {
        snprintf(package_file, sizeof package_file, "%s", file);
        local_file[0] = '\0';
        loading->origin = ORIGIN_PACKAGE;
        loading->where = file;
        return apply_file(loading, true);
    }
    int error = find_files(loading->error);
    if (error == 0) {
        loading->origin = ORIGIN_PACKAGE;
        loading->where = package_file;
        error = apply_file(loading, false);
    }
    if (error == 0) {
        loading->origin = ORIGIN_LOCAL;
        loading->where = local_file;
        error = apply_file(loading, false);
    }
    return error;
}

static int apply_command_line(struct loading *loading, const struct config_inputs *inputs)
{
    int error = 0;
    for (size_t i = 0; i < inputs->assignment_count && error == 0; i++) {
        error = apply_assignment(loading, inputs->assignments[i]);
    }
    return error;
}

static int fill_in_places(struct config *config, struct config_error *error)
{
    if (config->spool_dir[0] != '\0') {
        return 0;
    }
    char dir[CONFIG_TEXT_MAX - 8];
    int result = platform_local_dir(dir, sizeof dir);
    if (result != 0) {
        return setting_error(error, "spool_dir: can't tell where localdata is: %s; set spool_dir",
                             strerror(-result));
    }
    snprintf(config->spool_dir, sizeof config->spool_dir, "%s/spool", dir);
    return 0;
}

int config_load(struct config *config, const struct config_inputs *inputs,
                struct config_error *error)
{
    struct config *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) {
        return setting_error(error, "out of memory");
    }
    struct loading loading = {
        .config = fresh, .error = error, .origin = ORIGIN_DEFAULT, .where = "default"};
    int result = apply_defaults(&loading);
    if (result == 0) {
        result = apply_files(&loading, inputs->file);
    }
    if (result == 0) {
        loading.origin = ORIGIN_DEVICE;
        loading.where = "device parameter";
        result = platform_each_parameter(apply_parameter, &loading);
    }
    if (result == 0) {
        loading.origin = ORIGIN_ENVIRONMENT;
        loading.where = "environment";
        result = apply_environment(&loading, inputs->environment);
    }
    if (result == 0) {
        loading.origin = ORIGIN_COMMAND_LINE;
        loading.where = "--set";
        result = apply_command_line(&loading, inputs);
    }
    if (result == 0) {
        result = fill_in_places(fresh, error);
    }
    if (result == 0) {
        result = config_check(fresh, error);
    }
    if (result == 0) {
        *config = *fresh;
    }
    explicit_bzero(fresh, sizeof *fresh);
    free(fresh);
    return result;
}

bool config_same(const struct config *a, const struct config *b)
{
    char value_a[VALUE_TEXT_MAX];
    char value_b[VALUE_TEXT_MAX];
    bool same = true;
    for (size_t i = 0; i < setting_count && same; i++) {
        setting_format(a, &settings[i], true, value_a, sizeof value_a);
        setting_format(b, &settings[i], true, value_b, sizeof value_b);
        same = strcmp(value_a, value_b) == 0;
    }
    explicit_bzero(value_a, sizeof value_a);
    explicit_bzero(value_b, sizeof value_b);
    return same;
}

// ---- printing ----------------------------------------------------------------------------------

void config_print(const struct config *config, FILE *out)
{
    char value[VALUE_TEXT_MAX];
    for (size_t i = 0; i < setting_count; i++) {
        setting_format(config, &settings[i], false, value, sizeof value);
        fprintf(out, "%-31s = %s  (%s)\n", settings[i].name, *value == '\0' ? "(none)" : value,
                origin_names[config->origin[i]]);
    }
}

void config_print_help(FILE *out)
{
    char range[CONFIG_TEXT_MAX];
    for (size_t i = 0; i < setting_count; i++) {
        setting_range(&settings[i], range, sizeof range);
        fprintf(out, "  %s\n      %s.\n      %s; default: %s\n", settings[i].name, settings[i].help,
                range, *settings[i].initial == '\0' ? "none" : settings[i].initial);
    }
}

void config_print_markdown(FILE *out)
{
    char range[CONFIG_TEXT_MAX];
    fprintf(out, "| setting | default | allowed | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < setting_count; i++) {
        setting_range(&settings[i], range, sizeof range);
        for (char *bar = strchr(range, '|'); bar != NULL; bar = strchr(bar, '|')) {
            *bar = '/'; // a bar would end the cell
        }
        fprintf(out, "| `%s` | %s | %s | %s |\n", settings[i].name,
                *settings[i].initial == '\0' ? "none" : settings[i].initial, range,
                settings[i].help);
    }
}
