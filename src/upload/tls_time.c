#include "upload/tls_time.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <string.h>

// Beyond 2038, so that a 32-bit time_t can not hide.
#define PROBE_S INT64_C(17179869200)

static bool time_survives(X509_VERIFY_PARAM *param, int64_t time_s)
{
    X509_VERIFY_PARAM_set_time(param, (time_t)time_s);
    return (int64_t)X509_VERIFY_PARAM_get_time(param) == time_s;
}

bool tls_time_usable(const char *library)
{
    if (library == NULL || strncmp(library, "OpenSSL/", strlen("OpenSSL/")) != 0) {
        return false;
    }
    X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
    if (param == NULL) {
        return false;
    }
    bool same = time_survives(param, PROBE_S) && time_survives(param, PROBE_S / 16);
    X509_VERIFY_PARAM_free(param);
    return same;
}

void tls_time_set(void *ssl_ctx, int64_t time_s)
{
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(ssl_ctx), (time_t)time_s);
}

bool tls_time_is_cause(long verify_result)
{
    return verify_result == X509_V_ERR_CERT_NOT_YET_VALID ||
           verify_result == X509_V_ERR_CERT_HAS_EXPIRED;
}
