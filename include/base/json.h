/*
 * A JSON object's members, one level deep: all that our settings and answers need.
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

#endif
