/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and RFC 3339 text; see time.h. Every process but the crashed one. */
#include "core/util/time.h"

#include <cairn/cairn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NANOSECONDS 1000000000ull

uint64_t time_monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t time_wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

void time_format(uint64_t wall_ns, char ret_text[32])
{
    time_t seconds = (time_t)(wall_ns / NANOSECONDS);
    unsigned microseconds = (unsigned)(wall_ns % NANOSECONDS / 1000u);
    struct tm parts;
    size_t used;

    if (gmtime_r(&seconds, &parts) == NULL) {
        memset(&parts, 0, sizeof(parts));
        parts.tm_year = 70;
        parts.tm_mday = 1;
    }
    used = strftime(ret_text, 32, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(ret_text + used, 32 - used, ".%06uZ", microseconds);
}

/* The fraction after the seconds in nanoseconds; *text moves behind it. */
static uint64_t parse_fraction(const char **text)
{
    uint64_t fraction = 0, unit = NANOSECONDS / 10;

    if (**text != '.') {
        return 0;
    }
    for ((*text)++; **text >= '0' && **text <= '9'; (*text)++) {
        fraction += (uint64_t)(**text - '0') * unit;
        unit /= 10;
    }
    return fraction;
}

int time_parse(const char *text, uint64_t *ret_wall_ns)
{
    struct tm parts;
    const char *rest;
    uint64_t fraction;
    time_t seconds;

    memset(&parts, 0, sizeof(parts));
    rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == NULL) {
        return CAIRN_EFORMAT;
    }
    fraction = parse_fraction(&rest);
    seconds = timegm(&parts);
    if (strcmp(rest, "Z") != 0 || seconds < 0) {
        return CAIRN_EFORMAT;
    }
    *ret_wall_ns = (uint64_t)seconds * NANOSECONDS + fraction;
    return 0;
}
