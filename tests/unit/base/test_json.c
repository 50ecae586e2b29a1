#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void members_come_in_order_with_their_types(void **state)
{
    (void)state;
    struct json *json;
    struct json_position at;
    assert_int_equal(
        json_parse(&json, "{\"a\": \"x\", \"b\":2.5,\n\"c\":true, \"d\":null, \"e\":[1]}\n", &at),
        0);
    static const enum json_type types[] = {JSON_STRING, JSON_NUMBER, JSON_BOOL, JSON_NULL,
                                           JSON_OTHER};
    struct json_member member;
    for (size_t i = 0; i < 5; i++) {
        assert_true(json_member_at(json, i, &member));
        assert_int_equal(member.type, types[i]);
        assert_int_equal(member.key[0], 'a' + (int)i);
    }
    assert_false(json_member_at(json, 5, &member));
    assert_true(json_find(json, "a", &member));
    assert_string_equal(member.string, "x");
    assert_true(json_find(json, "b", &member));
    assert_true(member.number == 2.5);
    assert_true(json_find(json, "c", &member));
    assert_true(member.boolean);
    assert_false(json_find(json, "A", &member));
    json_free(json);
}

static void the_last_of_two_equal_keys_is_found(void **state)
{
    (void)state;
    struct json *json;
    struct json_position at;
    assert_int_equal(json_parse(&json, "{\"a\":\"old\",\"a\":\"new\"}", &at), 0);
    struct json_member member;
    assert_true(json_find(json, "a", &member));
    assert_string_equal(member.string, "new");
    json_free(json);
}

static void an_empty_object_has_no_members(void **state)
{
    (void)state;
    struct json *json;
    struct json_position at;
    assert_int_equal(json_parse(&json, " {} ", &at), 0);
    struct json_member member;
    assert_false(json_member_at(json, 0, &member));
    json_free(json);
}

static void malformed_text_says_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line;
        unsigned column;
    } cases[] = {
        {"", 1, 1},
        {"{\"a\":1,\n \"b\": nonsense}", 2, 7},
        {"{\"a\":1}\n\n  x", 3, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json *json;
        struct json_position at = {0, 0};
        assert_int_equal(json_parse(&json, cases[i].text, &at), -EBADMSG);
        assert_int_equal(at.line, cases[i].line);
        assert_int_equal(at.column, cases[i].column);
    }
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"[1,2]", "\"text\"", "null", "3"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct json *json;
        struct json_position at;
        assert_int_equal(json_parse(&json, texts[i], &at), -EPROTO);
    }
}

static void a_text_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    char *text = malloc(JSON_TEXT_MAX + 2);
    assert_non_null(text);
    memset(text, ' ', JSON_TEXT_MAX + 1);
    memcpy(text, "{}", 2);
    text[JSON_TEXT_MAX + 1] = '\0';
    struct json *json;
    struct json_position at;
    assert_int_equal(json_parse(&json, text, &at), -E2BIG);
    text[JSON_TEXT_MAX] = '\0';
    assert_int_equal(json_parse(&json, text, &at), 0);
    json_free(json);
    free(text);
}

static void nothing_is_freed_without_complaint(void **state)
{
    (void)state;
    json_free(NULL);
}

static void a_document_is_built_of_all_its_parts(void **state)
{
    (void)state;
    struct json_builder *builder = json_begin();
    json_put_string(builder, "name", "a \"b\"\n");
    json_put_bool(builder, "yes", true);
    json_put_null(builder, "absent");
    json_open_array(builder, "list");
    json_put_number(builder, NULL, -0.050001264);
    json_open_object(builder, NULL);
    json_put_number(builder, "n", 4294967295.0);
    json_close(builder);
    json_close(builder);
    json_put_number(builder, "last", 1);
    json_close(builder); // one too many does no harm
    json_put_number(builder, "more", 2);
    char *text = json_finish(builder);
    assert_string_equal(text, "{\n\t\"name\":\t\"a \\\"b\\\"\\n\",\n\t\"yes\":\ttrue,\n"
                              "\t\"absent\":\tnull,\n\t\"list\":\t[-0.050001264, {\n"
                              "\t\t\t\"n\":\t4294967295\n\t\t}],\n\t\"last\":\t1,\n"
                              "\t\"more\":\t2\n}");
    free(text);
}

static void a_number_that_is_none_is_null(void **state)
{
    (void)state;
    struct json_builder *builder = json_begin();
    json_open_array(builder, "list");
    json_put_number(builder, NULL, (double)NAN);
    json_put_number(builder, NULL, -(double)INFINITY);
    char *text = json_finish(builder);
    assert_string_equal(text, "{\n\t\"list\":\t[null, null]\n}");
    free(text);
}

static void a_document_that_is_too_deep_is_refused(void **state)
{
    (void)state;
    struct json_builder *builder = json_begin();
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        json_open_object(builder, "in");
    }
    assert_null(json_finish(builder));
    assert_null(json_finish(NULL));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_order_with_their_types),
        cmocka_unit_test(the_last_of_two_equal_keys_is_found),
        cmocka_unit_test(an_empty_object_has_no_members),
        cmocka_unit_test(malformed_text_says_line_and_column),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(a_text_beyond_the_limit_is_refused),
        cmocka_unit_test(nothing_is_freed_without_complaint),
        cmocka_unit_test(a_document_is_built_of_all_its_parts),
        cmocka_unit_test(a_number_that_is_none_is_null),
        cmocka_unit_test(a_document_that_is_too_deep_is_refused),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
