#include "sender_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct sender *sender;
struct canned_server server;
struct delivery_result result;
struct sender_state shown;
atomic_bool no_abort;
char url[256];

struct sender_config config_with(const char *address)
{
    return (struct sender_config){
        .urls = {[OBJECT_TIME_LOG] = address}, .user_agent = "test", .allow_http = true};
}

void open_sender(const struct canned_reply *replies, size_t count, const char *query)
{
    assert_int_equal(canned_start(&server, replies, count), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/bucket/key?%s", server.port, query);
    struct sender_config config = config_with(url);
    assert_int_equal(sender_open(&sender, &config), 0);
}

int close_sender(void **state)
{
    (void)state;
    sender_close(sender);
    sender = NULL;
    return 0;
}

void put_text(enum delivery_object object, const char *data)
{
    struct delivery_request request = {.object = object,
                                       .fd = -1,
                                       .data = data,
                                       .size = strlen(data),
                                       .name = "segment",
                                       .abort = &no_abort};
    struct delivery *delivery = sender_delivery(sender);
    delivery->put(delivery, &request, &result);
    sender_get_state(sender, &shown);
    assert_null(strstr(result.reason, "canary"));
}
