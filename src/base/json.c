#include "base/json.h"

#include <cjson/cJSON.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct json {
    cJSON *root;
};

// cJSON notes the place of the last error in a variable of its own, whoever asks: one at a time.
static pthread_mutex_t parsing = PTHREAD_MUTEX_INITIALIZER;

static struct json_position position_of(const char *text, const char *end)
{
    struct json_position position = {1, 1};
    for (const char *p = text; p < end; p++) {
        position.column++;
        if (*p == '\n') {
            position.line++;
            position.column = 1;
        }
    }
    return position;
}

static cJSON *parse_document(const char *text, size_t size, const char **end)
{
    *end = NULL;
    pthread_mutex_lock(&parsing);
    cJSON *root = cJSON_ParseWithLengthOpts(text, size, end, true);
    pthread_mutex_unlock(&parsing);
    return root;
}

int json_parse(struct json **json, const char *text, struct json_position *position)
{
    size_t length = strnlen(text, JSON_TEXT_MAX + 1);
    if (length > JSON_TEXT_MAX) {
        return -E2BIG;
    }
    struct json *document = calloc(1, sizeof *document);
    if (document == NULL) {
        return -ENOMEM;
    }
    const char *end;
    document->root = parse_document(text, length + 1, &end);
    int result = 0;
    if (document->root == NULL) {
        *position = position_of(text, end != NULL ? end : text);
        result = -EBADMSG;
    } else if (!cJSON_IsObject(document->root)) {
        result = -EPROTO;
    }
    if (result != 0) {
        json_free(document);
        return result;
    }
    *json = document;
    return 0;
}

// Only the members themselves: what is nested deeper is nothing we asked for.
static void wipe_strings(cJSON *item)
{
    for (; item != NULL; item = item->next) {
        if (cJSON_IsString(item) && item->valuestring != NULL) {
            explicit_bzero(item->valuestring, strlen(item->valuestring));
        }
    }
}

void json_free(struct json *json)
{
    if (json == NULL) {
        return;
    }
    if (json->root != NULL) {
        wipe_strings(json->root->child);
    }
    cJSON_Delete(json->root);
    free(json);
}

static void describe(const cJSON *item, struct json_member *member)
{
    *member = (struct json_member){.key = item->string, .type = JSON_OTHER};
    if (cJSON_IsNull(item)) {
        member->type = JSON_NULL;
    } else if (cJSON_IsBool(item)) {
        member->type = JSON_BOOL;
        member->boolean = cJSON_IsTrue(item);
    } else if (cJSON_IsNumber(item)) {
        member->type = JSON_NUMBER;
        member->number = item->valuedouble;
    } else if (cJSON_IsString(item)) {
        member->type = JSON_STRING;
        member->string = item->valuestring;
    }
}

bool json_member_at(const struct json *json, size_t index, struct json_member *member)
{
    const cJSON *item = json->root->child;
    while (item != NULL && index > 0) {
        item = item->next;
        index--;
    }
    if (item == NULL) {
        return false;
    }
    describe(item, member);
    return true;
}

bool json_find(const struct json *json, const char *key, struct json_member *member)
{
    const cJSON *found = NULL;
    for (const cJSON *item = json->root->child; item != NULL; item = item->next) {
        if (strcmp(item->string, key) == 0) {
            found = item;
        }
    }
    if (found == NULL) {
        return false;
    }
    describe(found, member);
    return true;
}
