/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and their texts. */
#ifndef CAIRN_CORE_UTIL_TIME_H
#define CAIRN_CORE_UTIL_TIME_H

#include <stddef.h>
#include <stdint.h>

uint64_t time_monotonic_us(void);
uint64_t time_wall_ns(void);
/* "2026-11-25T19:42:47.123456Z" (RFC 3339, UTC) of nanoseconds since 1970. */
void time_format(uint64_t wall_ns, char ret_text[32]);
/* The reverse; 0 or CAIRN_EFORMAT. */
int time_parse(const char *text, uint64_t *ret_wall_ns);

#endif
