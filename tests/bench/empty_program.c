/*
 * A program that does nothing, linked with the libraries of the real one: what their mere presence
 * costs in memory. With a URL it first does one small PUT with libcurl's defaults and keeps the
 * handle, as the real one does. Says "ready" and waits for a signal.
 */
#include <curl/curl.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static size_t read_byte(char *buffer, size_t size, size_t count, void *user)
{
    int *left = user;
    if (size * count == 0 || *left == 0) {
        return 0;
    }
    *left = 0;
    buffer[0] = 'x';
    return 1;
}

static int put_one_byte(const char *url, const char *ca)
{
    int left = 1;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)1);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_byte);
    curl_easy_setopt(easy, CURLOPT_READDATA, &left);
    if (ca != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    }
    return (int)curl_easy_perform(easy);
}

int main(int argc, char **argv)
{
    if (argc > 1 && put_one_byte(argv[1], argc > 2 ? argv[2] : NULL) != 0) {
        fprintf(stderr, "empty_program: error: the PUT to %s failed\n", argv[1]);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}
