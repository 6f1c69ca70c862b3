/* SPDX-License-Identifier: Apache-2.0 */
/* How many mappings a victim has: what threads leave behind shows in it. In the victim. */
#ifndef CAIRN_TESTS_CRASH_MAPPINGS_H
#define CAIRN_TESTS_CRASH_MAPPINGS_H

#include <stdio.h>

static inline long mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    long count = 0;

    for (int c = 0; maps != NULL && (c = getc(maps)) != EOF;) {
        count += c == '\n';
    }
    if (maps != NULL) {
        fclose(maps);
    }
    return count;
}

#endif
