/* SPDX-License-Identifier: Apache-2.0 */
/* Captured files of /proc/PID; see proc.h. Runs in a step of the engine. */
#include "plugins/common/proc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000)

const char *proc_file(const struct cairn_host *host, const struct cairn_report *report,
                      const char *name)
{
    const char *text;
    size_t bytes;

    return host->process_file(host, report, name, &text, &bytes) ? text : NULL;
}

const char *proc_line(const char *text, const char *key)
{
    size_t length = strlen(key);

    while (text != NULL) {
        if (strncmp(text, key, length) == 0) {
            return text + length + strspn(text + length, " \t");
        }
        text = strchr(text, '\n');
        text = text != NULL ? text + 1 : NULL;
    }
    return NULL;
}

/* RFC 3339 in UTC, up to six digits of fraction. */
int proc_event_time(const struct cairn_host *host, const struct cairn_report *report,
                    int64_t *ret_us)
{
    struct cairn_value value;
    struct tm broken_down = { 0 };
    const char *rest;
    int64_t fraction = 0, unit = SECOND;

    if (!host->get(host, report, "time", &value) || value.type != CAIRN_VALUE_STRING) {
        return -1;
    }
    rest = strptime(value.string, "%Y-%m-%dT%H:%M:%S", &broken_down);
    if (rest == NULL) {
        return -1;
    }
    if (*rest == '.') {
        while (isdigit((unsigned char)*++rest) && unit > 1) {
            unit /= 10;
            fraction += (*rest - '0') * unit;
        }
    }
    *ret_us = timegm(&broken_down) * SECOND + fraction;
    return 0;
}

/* Field 22 of stat: when the process started, in ticks since boot. The name in field 2 may contain
 * anything, also ")" and blanks, so counting begins behind the last ")". */
static int start_ticks(const char *stat, int64_t *ret_ticks)
{
    const char *place = strrchr(stat, ')');
    char *end;
    long long ticks;

    for (int field = 2; place != NULL && field < 22; field++) {
        place = strchr(place, ' ');
        place = place != NULL ? place + 1 : NULL;
    }
    if (place == NULL || !isdigit((unsigned char)*place)) {
        return -1;
    }
    ticks = strtoll(place, &end, 10);
    if (end == place || ticks > INT64_MAX / SECOND) {
        return -1;
    }
    *ret_ticks = ticks;
    return 0;
}

static int64_t clock_us(clockid_t clock)
{
    struct timespec now = { 0 };

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000;
}

int proc_age(const struct cairn_host *host, const struct cairn_report *report, int64_t *ret_us)
{
    const char *stat = proc_file(host, report, "stat");
    int64_t ticks, event, start, up = clock_us(CLOCK_BOOTTIME);
    int64_t boot = clock_us(CLOCK_REALTIME) - up, age;
    long per_second = sysconf(_SC_CLK_TCK);

    if (stat == NULL || per_second <= 0 || start_ticks(stat, &ticks) != 0 ||
        proc_event_time(host, report, &event) != 0) {
        return -1;
    }
    start = ticks * SECOND / per_second;
    age = event - boot - start;
    if (start > up || age < -SECOND) {
        return -1;
    }
    *ret_us = age > 0 ? age : 0;
    return 0;
}
