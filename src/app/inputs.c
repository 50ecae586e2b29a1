#include "app/inputs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

// Asterisks from '=' on; all of it when there is none, as nobody knows what was meant.
static void blank(char *assignment)
{
    char *equals = strchr(assignment, '=');
    char *value = equals != NULL ? equals + 1 : assignment;
    memset(value, '*', strlen(value));
}

// Copies of those WORDS that begin with PREFIX, in one block, both lists with NULL at their ends;
// the values of the originals are blanked. NULL: no memory.
static char **take(char *const *words, const char *prefix)
{
    size_t count = 0;
    size_t bytes = 0;
    for (char *const *word = words; *word != NULL; word++) {
        count += begins_with(*word, prefix);
        bytes += strlen(*word) + 1;
    }
    char **copies = calloc(1, (count + 1) * sizeof *copies + bytes);
    if (copies == NULL) {
        return NULL;
    }
    char **copy = copies;
    char *text = (char *)(copies + count + 1);
    for (; *words != NULL; words++) {
        if (begins_with(*words, prefix)) {
            *copy++ = text;
            text = stpcpy(text, *words) + 1;
            blank(*words);
        }
    }
    return copies;
}

int inputs_take(struct config_inputs *inputs, const struct options *options,
                char *const *environment)
{
    *inputs = (struct config_inputs){
        .file = options->config_file,
        .assignments = take(options->assignments, ""),
        .assignment_count = options->assignment_count,
        .environment = take(environment, CONFIG_ENVIRONMENT_PREFIX),
    };
    return inputs->assignments != NULL && inputs->environment != NULL ? 0 : -ENOMEM;
}
