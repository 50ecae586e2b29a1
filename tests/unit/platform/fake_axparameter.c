#include "fake_axparameter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int outstanding;

static void *hand_out(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy != NULL) {
        memcpy(copy, text, size);
        outstanding++;
    }
    return copy;
}

static void take_back(void *thing)
{
    if (thing != NULL) {
        outstanding--;
        free(thing);
    }
}

void *ax_parameter_new(const char *app_name, void **error)
{
    if (strcmp(app_name, "ntp_logger") != 0 || getenv("AX_REFUSE") != NULL) {
        *error = hand_out("no such application");
        return NULL;
    }
    return hand_out("handle");
}

int ax_parameter_get(void *parameters, const char *name, char **value, void **error)
{
    (void)parameters;
    char variable[64];
    snprintf(variable, sizeof variable, "AX_%s", name);
    const char *set = getenv(variable);
    if (set == NULL) {
        *error = hand_out("no such parameter");
        return 0;
    }
    *value = hand_out(set);
    return 1;
}

void ax_parameter_free(void *parameters)
{
    take_back(parameters);
}

void g_free(void *text)
{
    take_back(text);
}

void g_error_free(void *error)
{
    take_back(error);
}

int fake_axparameter_outstanding(void)
{
    return outstanding;
}
