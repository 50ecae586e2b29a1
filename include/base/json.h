/*
 * Reads a JSON object's members, one level deep: all that our settings and answers need. Builds a
 * document of any shape.
 *
 * The only place that knows the JSON library. Input is bounded; nesting inside a member is
 * accepted and shown as JSON_OTHER. Any thread.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Longer texts are refused. */
#define JSON_TEXT_MAX 65536

struct json;

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_OTHER };

struct json_member {
    const char *key; /* this and string live as long as the document */
    enum json_type type;
    bool boolean;       /* with JSON_BOOL */
    double number;      /* with JSON_NUMBER */
    const char *string; /* with JSON_STRING */
};

/* Where reading stopped, both from 1. */
struct json_position {
    unsigned line;
    unsigned column;
};

/*
 * Reads TEXT, which must be one object and nothing behind it. 0, or -EBADMSG (malformed: POSITION
 * says where), -EPROTO (well-formed, but no object), -E2BIG, -ENOMEM. json_free releases it.
 */
int json_parse(struct json **json, const char *text, struct json_position *position);

/* Overwrites the strings (they may be secrets) and releases all. NULL is fine. */
void json_free(struct json *json);

/* The member at INDEX in the text's order, duplicates included. False beyond the last. */
bool json_member_at(const struct json *json, size_t index, struct json_member *member);

/* The last member named KEY, as a duplicate overrides. False when there is none. */
bool json_find(const struct json *json, const char *key, struct json_member *member);

/* A document under construction: what is put goes into the container opened last. */
struct json_builder;

/* Containers within containers, the document itself included. */
#define JSON_DEPTH_MAX 8

/* The document is an object. Short of memory at any point, json_finish says so. */
struct json_builder *json_begin(void);

/* KEY is ignored inside an array. A number that is no finite one is put as null. */
void json_put_number(struct json_builder *builder, const char *key, double number);
void json_put_string(struct json_builder *builder, const char *key, const char *string);
void json_put_bool(struct json_builder *builder, const char *key, bool boolean);
void json_put_null(struct json_builder *builder, const char *key);

/* Opens a container inside the present one; json_close returns to it. */
void json_open_object(struct json_builder *builder, const char *key);
void json_open_array(struct json_builder *builder, const char *key);
void json_close(struct json_builder *builder);

/* The document as indented text, to be freed by the caller, or NULL; BUILDER is gone either way. */
char *json_finish(struct json_builder *builder);

#endif
