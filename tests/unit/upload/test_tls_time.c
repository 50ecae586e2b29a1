#include "upload/tls_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* That a certificate is really verified at the time set is for the tests with a real server. */
static void only_openssl_lets_the_time_be_set(void **state)
{
    (void)state;
    assert_true(tls_time_usable("OpenSSL/3.0.15"));
    assert_false(tls_time_usable("GnuTLS/3.7.9"));
    assert_false(tls_time_usable("(OpenSSL/3.0.15) GnuTLS/3.7.9")); // built in, but not in use
    assert_false(tls_time_usable("BoringSSL"));
    assert_false(tls_time_usable(""));
    assert_false(tls_time_usable(NULL));
}

/* x509(1): 9 not yet valid, 10 expired, 18 self-signed, 20 issuer unknown; 0 ok, 1 unspecified. */
static void only_two_results_are_the_clocks_fault(void **state)
{
    (void)state;
    for (long result = -1; result < 100; result++) {
        assert_int_equal(tls_time_is_cause(result), result == 9 || result == 10);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_openssl_lets_the_time_be_set),
        cmocka_unit_test(only_two_results_are_the_clocks_fault),
    };
    return cmocka_run_group_tests_name("tls_time", tests, NULL, NULL);
}
