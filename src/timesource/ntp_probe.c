#include "timesource/ntp_probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

// Longer than any delay that counts; the gap of the start burst, so that questions never overlap.
#define ANSWER_WAIT_NS NTP_BURST_GAP_NS

// REALTIME minus MONOTONIC is constant but for steps: a step inside the exchange spoils it.
#define STEP_SLACK_NS (50 * NS_PER_US)

#define PARTS_PER_MILLION 1000000

// Datagrams read at one call: whoever floods us must not hold up the tick.
#define REPLIES_MAX 64

void ntp_probe_init(struct ntp_probe *probe, const char *host, uint16_t port, mono_time now)
{
    *probe = (struct ntp_probe){.fd = -1, .port = port};
    snprintf(probe->host, sizeof probe->host, "%s", host);
    probe->has_address = udp_address_from_host(&probe->address, host, port) == 0;
    ntp_schedule_init(&probe->schedule, now);
}

static void end_exchange(struct ntp_probe *probe)
{
    if (probe->fd >= 0) {
        close(probe->fd);
        probe->fd = -1;
    }
    probe->cookie = 0; // one reply per question
}

void ntp_probe_close(struct ntp_probe *probe)
{
    end_exchange(probe);
    ntp_resolver_close(&probe->resolver);
}

// Random enough that nobody off the path can guess it. Never 0.
static uint64_t random_bits(void)
{
    uint64_t bits = 0;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits || bits == 0) {
        bits = (uint64_t)mono_now().ns | 1; // early in the boot
    }
    return bits;
}

static int64_t wall_minus_mono_ns(const struct clock_reading *r)
{
    return r->wall.ns - r->mono.ns;
}

static int64_t mono_minus_raw_ns(const struct clock_reading *r)
{
    return r->mono.ns - r->raw.ns;
}

static int64_t magnitude(int64_t ns)
{
    return ns < 0 ? -ns : ns;
}

bool ntp_probe_estimate(const struct ntp_probe *probe, const struct clock_reading *now,
                        struct ntp_estimate *out)
{
    if (!probe->has_sample) {
        return false;
    }
    int64_t age_ns = mono_diff_ns(now->mono, probe->taken.mono);
    int64_t stepped_ns = wall_minus_mono_ns(now) - wall_minus_mono_ns(&probe->taken);
    int64_t slewed_ns = mono_minus_raw_ns(now) - mono_minus_raw_ns(&probe->taken);
    *out = (struct ntp_estimate){
        .offset_ns = probe->sample.offset_ns + stepped_ns,
        .bound_ns = ntp_sample_bound_ns(&probe->sample) + magnitude(slewed_ns) +
                    magnitude(age_ns) / PARTS_PER_MILLION * NTP_PROBE_DRIFT_PPM,
        .age_ns = age_ns,
    };
    return true;
}

// The better of the two is kept: a congested answer is worse than a good one of a minute ago.
static void keep(struct ntp_probe *probe, const struct ntp_sample *sample,
                 const struct clock_reading *now)
{
    struct ntp_estimate old;
    probe->answered++;
    probe->answered_at = now->mono;
    ntp_schedule_answered(&probe->schedule);
    if (ntp_probe_estimate(probe, now, &old) && old.bound_ns < ntp_sample_bound_ns(sample)) {
        return;
    }
    probe->sample = *sample;
    probe->taken = *now;
    probe->has_sample = true;
    probe->is_new = true;
}

static void fail(struct ntp_probe *probe, mono_time now)
{
    end_exchange(probe);
    ntp_schedule_failed(&probe->schedule, now, (uint32_t)random_bits());
    // The name may stand for another server by now. A numeric address stands for itself.
    probe->has_address = udp_address_from_host(&probe->address, probe->host, probe->port) == 0;
}

static void settle(struct ntp_probe *probe, enum ntp_answer answer, const struct ntp_sample *sample,
                   const struct clock_reading *now)
{
    switch (answer) {
    case NTP_GOOD:
        end_exchange(probe);
        keep(probe, sample, now);
        return;
    case NTP_FOREIGN:
        probe->rejected++;
        return; // the right one may still come
    case NTP_RATE:
        end_exchange(probe);
        ntp_schedule_rate(&probe->schedule, now->mono, (uint32_t)random_bits());
        return;
    case NTP_DENY:
        end_exchange(probe);
        ntp_schedule_deny(&probe->schedule);
        return;
    case NTP_UNSYNCHRONISED:
    case NTP_INSANE:
        probe->rejected++;
        fail(probe, now->mono);
        return;
    }
}

// The kernel's stamp of a received message, when it has one.
static bool receive_stamp(struct msghdr *message, wall_time *out)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS &&
            c->cmsg_len >= CMSG_LEN(sizeof(struct timespec))) {
            struct timespec ts;
            memcpy(&ts, CMSG_DATA(c), sizeof ts);
            out->ns = nstime_from_timespec(ts);
            return true;
        }
    }
    return false;
}

// One datagram into REPLY; its length, or -1. *NOW is read after it, *AT is when it came: by the
// kernel's stamp if that is sane, else now.
static ssize_t receive(struct ntp_probe *probe, uint8_t *reply, size_t size,
                       struct clock_reading *now, wall_time *at)
{
    union {
        struct cmsghdr align;
        char bytes[256];
    } control;
    struct iovec iov = {.iov_base = reply, .iov_len = size};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t length = recvmsg(probe->fd, &message, 0);
    if (length < 0) {
        return -1;
    }
    *now = clocks_read();
    if (!receive_stamp(&message, at) || at->ns < probe->sent.wall.ns || at->ns > now->wall.ns) {
        *at = now->wall;
    }
    return length;
}

static bool was_stepped(const struct ntp_probe *probe, const struct clock_reading *now)
{
    int64_t moved_ns = wall_minus_mono_ns(now) - wall_minus_mono_ns(&probe->sent);
    return magnitude(moved_ns) >
           STEP_SLACK_NS + (int64_t)now->window_ns + (int64_t)probe->sent.window_ns;
}

static void take_reply(struct ntp_probe *probe, const uint8_t *reply, size_t length, wall_time at,
                       const struct clock_reading *now)
{
    struct ntp_exchange exchange = {
        .cookie = probe->cookie, .sent = probe->sent.wall, .received = at};
    struct ntp_sample sample;
    enum ntp_answer answer = ntp_reply_judge(reply, length, &exchange, &sample);
    if (answer == NTP_GOOD && was_stepped(probe, now)) {
        answer = NTP_INSANE;
    }
    settle(probe, answer, &sample, now);
}

static void collect(struct ntp_probe *probe, mono_time now)
{
    for (int i = 0; i < REPLIES_MAX && probe->fd >= 0; i++) {
        uint8_t reply[NTP_PACKET_SIZE + 32]; // a key or extension behind it is ignored
        struct clock_reading received;
        wall_time at;
        ssize_t length = receive(probe, reply, sizeof reply, &received, &at);
        if (length < 0) {
            break;
        }
        take_reply(probe, reply, (size_t)length, at, &received);
    }
    if (probe->fd >= 0 && mono_diff_ns(now, probe->sent.mono) >= ANSWER_WAIT_NS) {
        fail(probe, now);
    }
}

static int open_socket(const struct udp_address *to)
{
    int on = 1;
    int fd = socket(to->socket.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    if (connect(fd, &to->socket.any, to->length) != 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    // Without the stamp the time of collection counts; the bound then says so.
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    return fd;
}

static void ask(struct ntp_probe *probe)
{
    uint8_t request[NTP_PACKET_SIZE];
    probe->asked++;
    probe->fd = open_socket(&probe->address);
    probe->cookie = random_bits();
    ntp_request_encode(request, probe->cookie);
    probe->sent = clocks_read(); // as late as can be
    ntp_schedule_asked(&probe->schedule, probe->sent.mono, (uint32_t)random_bits());
    if (probe->fd < 0 || send(probe->fd, request, sizeof request, 0) < 0) {
        fail(probe, probe->sent.mono);
    }
}

static void resolve(struct ntp_probe *probe, mono_time now)
{
    int error = 0;
    if (probe->resolver.question == NULL) {
        error = ntp_resolver_ask(&probe->resolver, probe->host, probe->port);
    }
    if (error == 0) {
        error = ntp_resolver_poll(&probe->resolver, &probe->address);
    }
    probe->has_address = error == 0;
    if (error != 0 && error != -EAGAIN) {
        ntp_schedule_unresolved(&probe->schedule, now, (uint32_t)random_bits());
    }
}

void ntp_probe_run(struct ntp_probe *probe, const struct clock_reading *now)
{
    collect(probe, now->mono);
    if (probe->fd >= 0 || !ntp_schedule_is_due(&probe->schedule, now->mono)) {
        return;
    }
    if (!probe->has_address) {
        resolve(probe, now->mono);
    }
    if (probe->has_address) {
        ask(probe);
    }
}

void ntp_probe_report(const struct ntp_probe *probe, const struct clock_reading *now,
                      struct report_probe *out)
{
    struct ntp_estimate estimate;
    snprintf(out->server, sizeof out->server, "%.*s", REPORT_NAME_MAX - 1, probe->host);
    out->asked = probe->asked;
    out->answered = probe->answered;
    out->rejected = probe->rejected;
    out->refused = probe->schedule.refused;
    if (ntp_probe_estimate(probe, now, &estimate)) {
        out->stratum = probe->sample.stratum;
        out->offset_ns = estimate.offset_ns;
        out->delay_ns = probe->sample.delay_ns;
        out->bound_ns = estimate.bound_ns;
        out->age_ns = estimate.age_ns;
    }
}
