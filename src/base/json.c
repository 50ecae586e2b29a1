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

struct json_builder {
    cJSON *open[JSON_DEPTH_MAX]; // from the document to the container opened last
    int depth;
    bool failed;
};

struct json_builder *json_begin(void)
{
    struct json_builder *builder = calloc(1, sizeof *builder);
    if (builder != NULL) {
        builder->open[0] = cJSON_CreateObject();
        builder->failed = builder->open[0] == NULL;
    }
    return builder;
}

// Takes ITEM over, whatever happens. The item when it is in the document.
static cJSON *put(struct json_builder *builder, const char *key, cJSON *item)
{
    if (builder == NULL) {
        cJSON_Delete(item);
        return NULL;
    }
    cJSON *container = builder->open[builder->depth];
    bool done =
        item != NULL && (cJSON_IsArray(container) ? cJSON_AddItemToArray(container, item)
                                                  : cJSON_AddItemToObject(container, key, item));
    if (!done) {
        cJSON_Delete(item);
        builder->failed = true;
    }
    return done ? item : NULL;
}

void json_put_number(struct json_builder *builder, const char *key, double number)
{
    put(builder, key, cJSON_CreateNumber(number)); // the library prints null for what is not finite
}

void json_put_string(struct json_builder *builder, const char *key, const char *string)
{
    put(builder, key, cJSON_CreateString(string));
}

void json_put_bool(struct json_builder *builder, const char *key, bool boolean)
{
    put(builder, key, cJSON_CreateBool(boolean));
}

void json_put_null(struct json_builder *builder, const char *key)
{
    put(builder, key, cJSON_CreateNull());
}

// A container that could not be had leaves the present one open twice, so that closes still match.
static void open_container(struct json_builder *builder, const char *key, cJSON *container)
{
    cJSON *opened = put(builder, key, container);
    if (builder != NULL && builder->depth < JSON_DEPTH_MAX - 1) {
        builder->open[builder->depth + 1] = opened != NULL ? opened : builder->open[builder->depth];
        builder->depth++;
    } else if (builder != NULL) {
        builder->failed = true;
    }
}

void json_open_object(struct json_builder *builder, const char *key)
{
    open_container(builder, key, cJSON_CreateObject());
}

void json_open_array(struct json_builder *builder, const char *key)
{
    open_container(builder, key, cJSON_CreateArray());
}

void json_close(struct json_builder *builder)
{
    if (builder != NULL && builder->depth > 0) {
        builder->depth--;
    }
}

char *json_finish(struct json_builder *builder)
{
    if (builder == NULL) {
        return NULL;
    }
    char *text = builder->failed ? NULL : cJSON_Print(builder->open[0]);
    cJSON_Delete(builder->open[0]);
    free(builder);
    return text;
}
