#include "modes.h"
#include "queue.h"

extern const struct queue_case ring_case_8;
extern const struct queue_case ring_case_64;
extern const struct queue_case ring_case_128;
extern const struct queue_case ring_case_168;   /* struct record */
extern const struct queue_case ring_case_16384; /* so large that only the bytes count: the limit */

int mode_ring(int argc, char **argv)
{
    static const struct queue_case *const cases[] = {&ring_case_8, &ring_case_64, &ring_case_128,
                                                     &ring_case_168, &ring_case_16384};
    return queue_main(cases, sizeof cases / sizeof cases[0], argc, argv);
}
