#include "platform/platform.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * DESIGN. The parameters of the camera's web page live in the camera; only Axis' parameter library
 * reads them. It came with AXIS OS 11.9, so it is looked up at run time: one package serves cameras
 * with and without it, and building needs no SDK. This is the only file that knows it. Its
 * interface and GLib's, as far as they are called, are declared below by hand; handles and errors
 * are opaque.
 */
#define PARAMETER_LIBRARY "libaxparameter.so.1"
#define APP_NAME          "ntp_logger"

struct parameter_library {
    void *handle;
    void *(*open)(const char *app_name, void **error);
    int (*get)(void *parameters, const char *name, char **value, void **error);
    void (*close)(void *parameters);
    void (*free_text)(void *text);
    void (*free_error)(void *error);
};

// Each parameter of app/manifest.json, the setting it stands for, and its value when nobody has
// set it: a number and a choice cannot be left empty on the web page.
struct parameter {
    const char *name;
    const char *setting;
    const char *unset;
};

static const struct parameter parameters[] = {
    {"UploadIntervalS", "upload_interval_s", "0"},
    {"PresignedUrlTimeLog", "presigned_url_time_log", ""},
    {"PresignedUrlNtpStatus", "presigned_url_ntp_status", ""},
    {"PresignedUrlNtpFailedStatus", "presigned_url_ntp_failed_status", ""},
    {"UrlSource", "url_source", ""},
    {"LogLevel", "log_level", "default"},
};

struct symbol {
    const char *name;
    size_t offset;
};

#define SYMBOL(name, member)                                                                       \
    {                                                                                              \
        name, offsetof(struct parameter_library, member)                                           \
    }
static const struct symbol symbols[] = {
    SYMBOL("ax_parameter_new", open),   SYMBOL("ax_parameter_get", get),
    SYMBOL("ax_parameter_free", close), SYMBOL("g_free", free_text),
    SYMBOL("g_error_free", free_error),
};

// True when this camera has the library with everything we call.
static bool library_load(struct parameter_library *library)
{
    // Never closed: GLib starts threads and types that outlive any unloading.
    library->handle = dlopen(PARAMETER_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library->handle == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *address = dlsym(library->handle, symbols[i].name);
        if (address == NULL) {
            return false;
        }
        memcpy((char *)library + symbols[i].offset, &address, sizeof address);
    }
    return true;
}

static void drop_error(const struct parameter_library *library, void *error)
{
    if (error != NULL) {
        library->free_error(error);
    }
}

static int visit_parameter(const struct parameter_library *library, void *open_parameters,
                           const struct parameter *parameter,
                           int (*visit)(void *ctx, const char *key, const char *value), void *ctx)
{
    char *value = NULL;
    void *error = NULL;
    int result = 0;
    // one that cannot be read counts as not set: the file's value stands
    if (library->get(open_parameters, parameter->name, &value, &error) && value != NULL &&
        strcmp(value, parameter->unset) != 0) {
        result = visit(ctx, parameter->setting, value);
    }
    if (value != NULL) {
        explicit_bzero(value, strlen(value)); // it may have been a URL
        library->free_text(value);
    }
    drop_error(library, error);
    return result;
}

int platform_each_parameter(int (*visit)(void *ctx, const char *key, const char *value), void *ctx)
{
    static struct parameter_library library;
    static bool searched;
    static bool found;
    if (!searched) {
        found = library_load(&library);
        searched = true;
    }
    if (!found) {
        return 0;
    }
    void *error = NULL;
    void *open_parameters = library.open(APP_NAME, &error);
    int result = 0;
    if (open_parameters != NULL) {
        for (size_t i = 0; result == 0 && i < sizeof parameters / sizeof parameters[0]; i++) {
            result = visit_parameter(&library, open_parameters, &parameters[i], visit, ctx);
        }
        library.close(open_parameters);
    }
    drop_error(&library, error);
    return result;
}
