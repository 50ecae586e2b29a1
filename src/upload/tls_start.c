#include "upload/tls_start.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <stddef.h>

int tls_start(void)
{
    // The one call that tells whether the set-up was completed; the others go on without it.
    return OSSL_LIB_CTX_get0_global_default() != NULL ? 0 : -ENOMEM;
}
