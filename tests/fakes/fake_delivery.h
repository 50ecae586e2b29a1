/*
 * A delivery that answers from a table and remembers every byte it was given, through the real
 * interface. The lock lets a test look on while the uploader runs.
 */
#ifndef FAKE_DELIVERY_H
#define FAKE_DELIVERY_H

#include "core/delivery.h"

#include <pthread.h>
#include <stddef.h>

#define FAKE_PUTS_MAX 256

struct fake_put {
    enum delivery_object object;
    enum delivery_verdict verdict;
    char name[64];
    char *data; /* what was sent, terminated */
    size_t size;
    bool md5_given;
    uint8_t md5[16];
};

struct fake_delivery {
    struct delivery delivery;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct fake_put puts[FAKE_PUTS_MAX];
    size_t count;
    /* The answer, asked for each put; NULL: everything is acknowledged. */
    void (*answer)(const struct fake_delivery *fake, const struct delivery_request *request,
                   struct delivery_result *result);
};

void fake_delivery_init(struct fake_delivery *fake);
void fake_delivery_free(struct fake_delivery *fake);

/* Waits until COUNT puts were made; fails the test's patience after a minute. */
bool fake_delivery_wait(struct fake_delivery *fake, size_t count);

/* How many puts of OBJECT ended with VERDICT. */
size_t fake_delivery_count(struct fake_delivery *fake, enum delivery_object object,
                           enum delivery_verdict verdict);

#endif
