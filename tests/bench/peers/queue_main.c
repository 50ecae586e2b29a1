#include "queue.h"

extern const struct queue_case peer_case_8;
extern const struct queue_case peer_case_64;
extern const struct queue_case peer_case_128;
extern const struct queue_case peer_case_168;

int main(int argc, char **argv)
{
    static const struct queue_case *const cases[] = {&peer_case_8, &peer_case_64, &peer_case_128,
                                                     &peer_case_168};
    return queue_main(cases, sizeof cases / sizeof cases[0], argc - 1, argv + 1);
}
