/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory functions of import-free code; see builtins.h. Runs anywhere, also in a crashed
 * process.
 */
#include "core/capture/builtins.h"

void *capture_copy(void *to, const void *from, size_t bytes)
{
    unsigned char *target = to;

    /* Fast on every CPU of the last ten years, and small. */
    __asm__ volatile("rep movsb" : "+D"(target), "+S"(from), "+c"(bytes) : : "memory");
    return to;
}

void *capture_move(void *to, const void *from, size_t bytes)
{
    unsigned char *target = to;
    const unsigned char *source = from;

    if (target <= source || target >= source + bytes) {
        return capture_copy(to, from, bytes);
    }
    while (bytes > 0) {
        bytes--;
        target[bytes] = source[bytes];
    }
    return to;
}

void *capture_fill(void *to, int byte, size_t bytes)
{
    unsigned char *target = to;

    __asm__ volatile("rep stosb" : "+D"(target), "+c"(bytes) : "a"(byte) : "memory");
    return to;
}

int capture_compare(const void *a, const void *b, size_t bytes)
{
    const unsigned char *left = a, *right = b;

    for (size_t i = 0; i < bytes; i++) {
        if (left[i] != right[i]) {
            return left[i] < right[i] ? -1 : 1;
        }
    }
    return 0;
}
