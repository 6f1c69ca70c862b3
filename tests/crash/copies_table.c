/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another version's table of a copy of Cairn, for tests/crash/copies.sh: with fewer members than
 * today's (MEMBERS 2), or with more.
 */
#include <stdint.h>
#include <stdio.h>

struct table {
    uint32_t magic, size;
    int (*members[MEMBERS])(void);
};

static int answer(void)
{
    printf("the other version was called\n");
    return -16;
}

extern const struct table other_table __attribute__((visibility("hidden")));
const struct table other_table = { 0x4e524943u,
                                   sizeof(other_table),
                                   { [0 ... MEMBERS - 1] = answer } };

__asm__(".data\n"
        ".type cairn_copy, @gnu_unique_object\n"
        ".size cairn_copy, 8\n"
        "cairn_copy: .quad other_table\n");
