#include "core/latest.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PUBLICATIONS 200000u

// An odd size: the last word is used in part only.
struct value {
    uint32_t words[16];
    unsigned char tail[3];
} __attribute__((packed));

static struct value value_of(uint32_t n)
{
    struct value value;
    for (size_t i = 0; i < 16; i++) {
        value.words[i] = n * (uint32_t)(i + 1);
    }
    memset(value.tail, (int)(n & 0xff), sizeof value.tail);
    return value;
}

static bool is_whole(const struct value *value)
{
    struct value expected = value_of(value->words[0]);
    return memcmp(value, &expected, sizeof expected) == 0;
}

static void nothing_is_read_before_the_first_publication(void **state)
{
    (void)state;
    static _Atomic uint32_t words[LATEST_WORDS(sizeof(struct value))];
    struct latest latest;
    struct value value;
    latest_init(&latest, words, sizeof value);
    assert_false(latest_read(&latest, &value));
}

static void the_newest_value_is_read_every_time(void **state)
{
    (void)state;
    static _Atomic uint32_t words[LATEST_WORDS(sizeof(struct value))];
    struct latest latest;
    latest_init(&latest, words, sizeof(struct value));
    for (uint32_t n = 1; n < 5; n++) {
        struct value in = value_of(n);
        struct value out;
        latest_publish(&latest, &in);
        assert_true(latest_read(&latest, &out));
        assert_memory_equal(&out, &in, sizeof in);
        assert_true(latest_read(&latest, &out));
        assert_memory_equal(&out, &in, sizeof in);
    }
}

static void a_read_touches_no_byte_behind_the_value(void **state)
{
    (void)state;
    static _Atomic uint32_t words[LATEST_WORDS(5)];
    struct latest latest;
    latest_init(&latest, words, 5);
    latest_publish(&latest, "abcde");
    char out[8] = "#######";
    assert_true(latest_read(&latest, out));
    assert_memory_equal(out, "abcde##", 7);
}

struct race {
    struct latest latest;
    _Atomic uint32_t words[LATEST_WORDS(sizeof(struct value))];
    atomic_bool done;
};

static void *publish_many(void *argument)
{
    struct race *race = argument;
    for (uint32_t n = 1; n <= PUBLICATIONS; n++) {
        struct value value = value_of(n);
        latest_publish(&race->latest, &value);
    }
    atomic_store(&race->done, true);
    return NULL;
}

static void a_reader_never_sees_a_torn_or_older_value(void **state)
{
    (void)state;
    static struct race race;
    latest_init(&race.latest, race.words, sizeof(struct value));
    pthread_t publisher;
    assert_int_equal(pthread_create(&publisher, NULL, publish_many, &race), 0);
    uint32_t last = 0;
    uint32_t torn = 0;
    uint32_t backwards = 0;
    bool done = false;
    while (!done) {
        done = atomic_load(&race.done); // one more read after the last publication
        struct value value;
        if (latest_read(&race.latest, &value)) {
            torn += !is_whole(&value);
            backwards += value.words[0] < last;
            last = value.words[0];
        }
    }
    pthread_join(publisher, NULL);
    assert_int_equal(torn, 0);
    assert_int_equal(backwards, 0);
    assert_int_equal(last, PUBLICATIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_read_before_the_first_publication),
        cmocka_unit_test(the_newest_value_is_read_every_time),
        cmocka_unit_test(a_read_touches_no_byte_behind_the_value),
        cmocka_unit_test(a_reader_never_sees_a_torn_or_older_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
