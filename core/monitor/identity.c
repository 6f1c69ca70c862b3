/* SPDX-License-Identifier: Apache-2.0 */
/* Start times of processes; see identity.h. Runs in the monitor. */
#include "core/monitor/identity.h"

#include "core/monitor/proc.h"

#include <string.h>

#define FIELDS_BEFORE_START 20 /* from the state, the third of all, to the 22nd */
#define FIELDS_BEFORE_STACK 26 /* to the 28th */

static uint64_t parse_field(const char *stat, size_t bytes, unsigned fields_before)
{
    const char *end = stat + bytes, *at = memrchr(stat, ')', bytes);
    uint64_t value = 0;

    for (unsigned i = 0; at != NULL && i < fields_before; i++) {
        at = memchr(at, ' ', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    for (; at != NULL && at < end && *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value)) {
            return 0;
        }
    }
    return value;
}

uint64_t identity_parse(const char *stat, size_t bytes)
{
    return parse_field(stat, bytes, FIELDS_BEFORE_START);
}

uint64_t identity_parse_stack(const char *stat, size_t bytes)
{
    return parse_field(stat, bytes, FIELDS_BEFORE_STACK);
}

void identity_text(int32_t pid, char ret_text[IDENTITY_BYTES])
{
    proc_read(pid, "stat", ret_text, IDENTITY_BYTES);
}

static uint64_t read_field(int32_t pid, unsigned fields_before)
{
    char text[IDENTITY_BYTES];

    identity_text(pid, text);
    return parse_field(text, strlen(text), fields_before);
}

uint64_t identity_read(int32_t pid)
{
    return read_field(pid, FIELDS_BEFORE_START);
}

uint64_t identity_read_stack(int32_t pid)
{
    return read_field(pid, FIELDS_BEFORE_STACK);
}
