#include "upload/tls_start.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { STARTED, REFUSED, CHANGED_ITS_MIND };

static unsigned allocations;
static unsigned fail_at;

static void *failing_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return ++allocations == fail_at ? NULL : malloc(size);
}

static void *failing_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return ++allocations == fail_at ? NULL : realloc(old, size);
}

static void plain_free(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

// A process of its own each time, as OpenSSL starts but once. What libcurl asks first is asked.
static int child(unsigned nth)
{
    fail_at = nth;
    CRYPTO_set_mem_functions(failing_malloc, failing_realloc, plain_free);
    int result = tls_start();
    if (result != tls_start()) {
        return CHANGED_ITS_MIND;
    }
    if (result == 0) {
        (void)RAND_status();
    }
    return result == 0 ? STARTED : result == -ENOMEM ? REFUSED : CHANGED_ITS_MIND;
}

static int start_with_failure(unsigned nth)
{
    pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGSEGV, SIG_DFL); // not cmocka's
        _exit(child(nth));
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        fail_msg("allocation %u: signal %d", nth, WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}

static void each_allocation_that_fails_is_a_refusal_or_no_matter(void **state)
{
    (void)state;
    assert_int_equal(start_with_failure(0), STARTED);
    unsigned refused = 0;
    for (unsigned nth = 1; nth <= 200; nth++) {
        int result = start_with_failure(nth);
        assert_true(result == STARTED || result == REFUSED);
        refused += result == REFUSED;
    }
    assert_true(refused > 0); // else none of them was part of the start
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_that_fails_is_a_refusal_or_no_matter),
    };
    return cmocka_run_group_tests_name("tls_start", tests, NULL, NULL);
}
