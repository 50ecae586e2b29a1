/*
 * DESIGN: one kept easy handle, its options set anew for each transfer (a reset keeps connection
 * and session caches), so no option can leak from one object to the next. libcurl calls back for
 * body bytes out, header lines and body bytes in, and about once a second for progress, where a
 * request to stop is noticed. All callbacks run in the caller's thread.
 */
#include "upload/put.h"

#include "base/nstime.h"
#include "upload/answer.h"
#include "upload/backoff.h"
#include "upload/body.h"
#include "upload/tls_start.h"
#include "upload/tls_time.h"

#include <curl/curl.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 10000L
#define LOW_SPEED_BYTES    100L /* per second, over ... */
#define LOW_SPEED_S        30L
#define TOTAL_BASE_MS      INT64_C(60000)
#define TOTAL_BYTES_PER_S  8192
/* Some 12 days: also a 32-bit long holds it. */
#define TOTAL_MAX_MS INT64_C(1000000000)
/* 16 KiB costs a sixth of the rate; a larger one buys rate with memory. */
#define UPLOAD_BUFFER 131072L

struct put {
    CURL *easy;           /* NULL until the first transfer */
    struct answer answer; /* here, not on the stack: a thread's stack may be small */
    char error[CURL_ERROR_SIZE];
};

// What the callbacks need of the transfer under way.
struct transfer {
    const struct put_request *request;
    const struct put_fetch *fetch; /* NULL: an upload */
    struct stream *body;
    struct answer *answer;
    int64_t verify_time_s;
    bool flooded;
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static CURLcode library_result;

static void start_library(void)
{
    library_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t read_source(char *buffer, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    ssize_t got = stream_read(transfer->body, buffer, size * count);
    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

// libcurl goes back to the start when a kept connection turns out to be dead.
static int seek_source(void *user, curl_off_t offset, int origin)
{
    struct transfer *transfer = user;
    bool done = origin == SEEK_SET && offset == 0 && stream_restart(transfer->body);
    return done ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static size_t take_header(char *line, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    transfer->flooded |= !answer_add_header(transfer->answer, line, size * count);
    return transfer->flooded ? 0 : size * count;
}

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    const struct put_fetch *fetch = transfer->fetch;
    uint64_t had = transfer->answer->body_bytes;
    size_t len = size * count;
    transfer->flooded |= !answer_add_body(transfer->answer, data, len);
    if (fetch != NULL && had + len >= fetch->size) {
        transfer->flooded = true;
    } else if (fetch != NULL) {
        memcpy(fetch->document + had, data, len);
        fetch->document[had + len] = '\0';
    }
    return transfer->flooded ? 0 : len;
}

static int watch_progress(void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                          curl_off_t up)
{
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    const struct transfer *transfer = user;
    // Relaxed: the flag guards no data; seeing it one round later is within the promise.
    return atomic_load_explicit(transfer->request->abort, memory_order_relaxed);
}

static long total_timeout_ms(uint64_t size)
{
    uint64_t transfer_s = size / TOTAL_BYTES_PER_S;
    if (transfer_s >= (uint64_t)(TOTAL_MAX_MS - TOTAL_BASE_MS) / 1000) {
        return (long)TOTAL_MAX_MS;
    }
    return (long)(TOTAL_BASE_MS + (int64_t)transfer_s * 1000);
}

static void set_limits(CURL *easy, uint64_t size)
{
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, total_timeout_ms(size));
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
    curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, 3L); // one per kind of object
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    // Do not wait for a resolver that hangs when we are told to stop.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static void set_protocols(CURL *easy, bool allow_http)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, allow_http ? "https,http" : "https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
                     allow_http ? CURLPROTO_HTTPS | CURLPROTO_HTTP : CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    // The path is part of what was signed: no dot segments are squeezed out of it.
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
}

static CURLcode raise_verify_time(CURL *easy, void *ssl_ctx, void *user)
{
    (void)easy;
    const struct put_options *options = user;
    tls_time_set(ssl_ctx, options->time_floor_s);
    return CURLE_OK;
}

// Only where our clock is surely behind: with a sane clock nothing here differs from libcurl's way.
static int64_t set_verify_time(CURL *easy, const struct put_options *options)
{
    const char *library = curl_version_info(CURLVERSION_NOW)->ssl_version;
    int64_t now_s = wall_now().ns / NS_PER_S;
    if (now_s >= options->time_floor_s || !tls_time_usable(library)) {
        return now_s;
    }
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, raise_verify_time);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, options);
    return options->time_floor_s;
}

static void set_trust(CURL *easy, const struct put_options *options)
{
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (options->ca_bundle[0] != '\0') {
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_bundle);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); // that bundle and nothing else
    }
    // An empty string, unlike NULL, keeps libcurl from asking the environment.
    curl_easy_setopt(easy, CURLOPT_PROXY, options->proxy);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void set_callbacks(CURL *easy, struct transfer *transfer)
{
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_source);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_source);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, watch_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

// *LIST is the caller's to free after the transfer, whatever happens.
static CURLcode add_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[96];
    snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(*list, line);
    *list = longer != NULL ? longer : *list;
    return longer != NULL ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

// The payload stays unhashed: TLS and Content-MD5 protect it, and streaming needs no second pass.
static CURLcode set_key(CURL *easy, const struct put_key *key, struct curl_slist **headers)
{
    char scope[128];
    snprintf(scope, sizeof scope, "aws:amz:%s:s3", key->region);
    curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, scope);
    curl_easy_setopt(easy, CURLOPT_USERNAME, key->id);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, key->secret);
    return add_header(headers, "x-amz-content-sha256", "UNSIGNED-PAYLOAD");
}

static CURLcode set_request(CURL *easy, const struct put_request *request,
                            struct curl_slist **headers)
{
    CURLcode code = CURLE_OK;
    if (request->key != NULL) {
        code = set_key(easy, request->key, headers);
    }
    if (code == CURLE_OK && request->content_md5 != NULL) {
        code = add_header(headers, "Content-MD5", request->content_md5);
    }
    if (code == CURLE_OK && request->content_encoding != NULL) {
        code = add_header(headers, "Content-Encoding", request->content_encoding);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body->size);
    return code;
}

static CURLcode run_transfer(struct put *put, struct transfer *transfer)
{
    pthread_once(&library_once, start_library);
    if (library_result != CURLE_OK) {
        return library_result;
    }
    if (put->easy == NULL) {
        put->easy = curl_easy_init();
    }
    if (put->easy == NULL) {
        return CURLE_OUT_OF_MEMORY;
    }
    struct curl_slist *headers = NULL;
    put->error[0] = '\0';
    curl_easy_reset(put->easy);
    curl_easy_setopt(put->easy, CURLOPT_ERRORBUFFER, put->error);
    const struct put_options *options = transfer->request->options;
    curl_easy_setopt(put->easy, CURLOPT_USERAGENT, options->user_agent);
    set_limits(put->easy, transfer->body->size);
    set_protocols(put->easy, options->allow_http);
    set_trust(put->easy, options);
    transfer->verify_time_s = set_verify_time(put->easy, options);
    set_callbacks(put->easy, transfer);
    CURLcode code = curl_easy_setopt(put->easy, CURLOPT_URL, transfer->request->url);
    if (code == CURLE_OK && transfer->fetch == NULL) {
        code = set_request(put->easy, transfer->request, &headers);
    }
    if (code == CURLE_OK) {
        code = curl_easy_perform(put->easy);
    }
    curl_slist_free_all(headers);
    return code;
}

// libcurl's numbers end here. What is not listed is BROKEN: perhaps stored, try again.
static const struct {
    CURLcode code;
    enum transport transport;
} transports[] = {
    {CURLE_OK, TRANSPORT_ANSWERED},
    {CURLE_URL_MALFORMAT, TRANSPORT_BAD_ADDRESS},
    {CURLE_COULDNT_RESOLVE_PROXY, TRANSPORT_NO_NAME},
    {CURLE_COULDNT_RESOLVE_HOST, TRANSPORT_NO_NAME},
    {CURLE_COULDNT_CONNECT, TRANSPORT_NO_CONNECT},
    {CURLE_INTERFACE_FAILED, TRANSPORT_NO_CONNECT},
    {CURLE_SSL_CONNECT_ERROR, TRANSPORT_NO_TLS},
    {CURLE_SSL_CERTPROBLEM, TRANSPORT_CERT_SETUP},
    {CURLE_SSL_ENGINE_NOTFOUND, TRANSPORT_CERT_SETUP},
    {CURLE_SSL_CACERT_BADFILE, TRANSPORT_CERT_SETUP},
    {CURLE_PEER_FAILED_VERIFICATION, TRANSPORT_CERT_TRUST},
    {CURLE_OUT_OF_MEMORY, TRANSPORT_MEMORY},
    {CURLE_FAILED_INIT, TRANSPORT_MEMORY},
    {CURLE_ABORTED_BY_CALLBACK, TRANSPORT_ABORTED},
};

// False: not a byte of the request left, as the connection (TLS included) never came about.
static bool was_connected(CURL *easy)
{
    curl_off_t ready_us = 0;
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    return ready_us > 0;
}

static bool refused_by_proxy(CURL *easy)
{
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status >= 300;
}

static bool failed_by_time(CURL *easy)
{
    long verify = 0;
    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verify);
    return tls_time_is_cause(verify);
}

static bool has_status(CURL *easy)
{
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status != 0;
}

static enum transport translate(const struct put *put, CURLcode code,
                                const struct transfer *transfer)
{
    if (transfer->body->failed) {
        return TRANSPORT_FILE;
    }
    if (transfer->flooded) {
        return TRANSPORT_FLOOD;
    }
    enum transport transport = TRANSPORT_BROKEN;
    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++) {
        if (transports[i].code == code) {
            transport = transports[i].transport;
        }
    }
    if (transport == TRANSPORT_BROKEN &&
        (!was_connected(put->easy) || refused_by_proxy(put->easy))) {
        transport = TRANSPORT_NO_CONNECT;
    }
    // A header line beyond libcurl's own bound is reported as if memory had run out.
    if (transport == TRANSPORT_MEMORY && put->easy != NULL && has_status(put->easy)) {
        transport = TRANSPORT_FLOOD;
    }
    if (transport == TRANSPORT_CERT_TRUST && failed_by_time(put->easy)) {
        transport = TRANSPORT_CERT_TIME;
    }
    return transport;
}

// The library's words up to what may be a secret: a query string, and in "Unsupported proxy syntax
// in 'http://user:password@...'" all from the quote on. Printable.
static void copy_detail(char *out, size_t size, const char *text)
{
    size_t end = strcspn(text, strchr(text, '@') != NULL ? "?'\":" : "?");
    snprintf(out, size, "%.*s", (int)end, text);
    for (char *p = out; *p != '\0'; p++) {
        *p = (char)(*p < ' ' || *p > '~' ? ' ' : *p);
    }
}

static bool is_stored(CURL *easy, const struct put_answer *answer, const struct answer *raw,
                      uint64_t size)
{
    long redirects = 0;
    long verify = 0;
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &redirects);
    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verify);
    return answer->transport == TRANSPORT_ANSWERED && answer->http_status == 200 &&
           raw->etag_formed && raw->body_bytes == 0 && answer->sent == size && redirects == 0 &&
           verify == 0;
}

static void read_result(struct put *put, CURLcode code, const struct transfer *transfer,
                        struct put_answer *answer)
{
    *answer = (struct put_answer){.retry_after_s = BACKOFF_NO_RETRY_AFTER};
    answer->transport = translate(put, code, transfer);
    answer->verify_time_s = transfer->verify_time_s;
    if (code != CURLE_OK) {
        const char *text = put->error[0] != '\0' ? put->error : curl_easy_strerror(code);
        copy_detail(answer->detail, sizeof answer->detail, text);
    }
    if (put->easy == NULL) {
        return;
    }
    struct answer *raw = transfer->answer;
    long status = 0;
    curl_off_t sent = 0;
    answer_finish(raw);
    curl_easy_getinfo(put->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(put->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    // An interim 100 before the end is no answer.
    answer->http_status = status >= 200 ? (int)status : 0;
    answer->sent = (uint64_t)sent;
    answer->retry_after_s = raw->retry_after_s;
    answer->date_s = raw->date_s;
    memcpy(answer->etag_md5, raw->etag_md5, sizeof answer->etag_md5);
    memcpy(answer->code, raw->code, sizeof answer->code);
}

void put_send(struct put *put, const struct put_request *request, struct put_answer *answer)
{
    struct transfer transfer = {.request = request, .body = request->body, .answer = &put->answer};
    answer_begin(&put->answer);
    CURLcode code = run_transfer(put, &transfer);
    read_result(put, code, &transfer, answer);
    answer->confirmed =
        put->easy != NULL && is_stored(put->easy, answer, &put->answer, request->body->size);
}

void put_fetch(struct put *put, const struct put_fetch *fetch, struct put_answer *answer)
{
    struct body nothing;
    body_init(&nothing, -1, "", 0);
    struct put_request request = {
        .options = fetch->options, .url = fetch->url, .abort = fetch->abort};
    struct transfer transfer = {
        .request = &request, .fetch = fetch, .body = &nothing.stream, .answer = &put->answer};
    answer_begin(&put->answer);
    fetch->document[0] = '\0';
    CURLcode code = run_transfer(put, &transfer);
    read_result(put, code, &transfer, answer);
    answer->confirmed = answer->transport == TRANSPORT_ANSWERED && answer->http_status == 200;
    explicit_bzero(put->answer.kept, sizeof put->answer.kept); // it may be a secret
}

int put_open(struct put **put)
{
    *put = NULL;
    int result = tls_start();
    if (result == 0) {
        *put = calloc(1, sizeof **put);
        result = *put != NULL ? 0 : -ENOMEM;
    }
    return result;
}

void put_close(struct put *put)
{
    if (put == NULL) {
        return;
    }
    if (put->easy != NULL) {
        curl_easy_cleanup(put->easy);
    }
    free(put);
}
