/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a UUID of version 7: 48 bits of wall clock in milliseconds, the rest random, so that names
 * of reports sort by time. Never blocks: before the kernel's generator is ready, clock and process
 * id have to do; two reports of that moment would have to agree in all of them to collide. Runs in
 * the monitor.
 */
#include "core/monitor/uuid.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static void fill_without_generator(unsigned char bytes[16])
{
    struct timespec now = { 0, 0 };
    uint64_t words[2];

    clock_gettime(CLOCK_MONOTONIC, &now);
    words[0] = ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) * 0x9e3779b97f4a7c15u;
    words[1] = (words[0] ^ (uint64_t)getpid()) * 0xbf58476d1ce4e5b9u;
    memcpy(bytes, words, sizeof(words));
}

void uuid_make(struct uuid *ret_uuid)
{
    static const char digits[] = "0123456789abcdef";
    struct timespec now = { 0, 0 };
    unsigned char *bytes = ret_uuid->bytes;
    char *text = ret_uuid->text;

    if (getrandom(bytes, sizeof(ret_uuid->bytes), GRND_NONBLOCK) !=
        (ssize_t)sizeof(ret_uuid->bytes)) {
        fill_without_generator(bytes);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
    for (unsigned i = 0; i < 6; i++) {
        bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
    }
    bytes[6] = (unsigned char)(0x70 | (bytes[6] & 0x0f));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
    for (unsigned i = 0; i < sizeof(ret_uuid->bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *text++ = '-';
        }
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 0x0f];
    }
    *text = '\0';
}
