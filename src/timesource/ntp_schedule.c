#include "timesource/ntp_schedule.h"

#define STRETCH_DIVISOR 8

void ntp_schedule_init(struct ntp_schedule *schedule, mono_time now)
{
    *schedule = (struct ntp_schedule){
        .due = now,
        .interval_ns = NTP_INTERVAL_MIN_NS,
        .floor_ns = NTP_INTERVAL_MIN_NS,
        .burst_left = NTP_BURST_COUNT,
    };
}

bool ntp_schedule_is_due(const struct ntp_schedule *schedule, mono_time now)
{
    return !schedule->refused && mono_diff_ns(now, schedule->due) >= 0;
}

static void wait_interval(struct ntp_schedule *s, mono_time now, uint32_t chance)
{
    int64_t stretch_ns = (int64_t)((double)s->interval_ns / STRETCH_DIVISOR * chance / UINT32_MAX);
    s->due = mono_add(now, s->interval_ns + stretch_ns);
}

void ntp_schedule_asked(struct ntp_schedule *schedule, mono_time now, uint32_t chance)
{
    if (schedule->burst_left > 0) {
        schedule->burst_left--;
    }
    if (schedule->burst_left > 0) {
        schedule->due = mono_add(now, NTP_BURST_GAP_NS);
    } else {
        wait_interval(schedule, now, chance);
    }
}

void ntp_schedule_answered(struct ntp_schedule *schedule)
{
    schedule->interval_ns = schedule->floor_ns;
}

static int64_t doubled(int64_t interval_ns)
{
    return interval_ns > NTP_INTERVAL_MAX_NS / 2 ? NTP_INTERVAL_MAX_NS : 2 * interval_ns;
}

void ntp_schedule_failed(struct ntp_schedule *schedule, mono_time now, uint32_t chance)
{
    // The burst goes on after one lost packet; each question of it would otherwise cost minutes.
    if (schedule->burst_left == 0) {
        schedule->interval_ns = doubled(schedule->interval_ns);
        wait_interval(schedule, now, chance);
    }
}

void ntp_schedule_unresolved(struct ntp_schedule *schedule, mono_time now, uint32_t chance)
{
    wait_interval(schedule, now, chance);
    schedule->interval_ns = doubled(schedule->interval_ns);
}

void ntp_schedule_rate(struct ntp_schedule *schedule, mono_time now, uint32_t chance)
{
    schedule->burst_left = 0;
    schedule->floor_ns = doubled(schedule->floor_ns);
    schedule->interval_ns = NTP_INTERVAL_MAX_NS;
    wait_interval(schedule, now, chance);
}

void ntp_schedule_deny(struct ntp_schedule *schedule)
{
    schedule->refused = true;
}
