/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory functions of import-free code; see builtins.h. Runs anywhere, also in a crashed
 * process.
 */
#include "core/capture/builtins.h"

#include <stdint.h>

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
    uint64_t one, other;

    for (; bytes >= sizeof(one); bytes -= sizeof(one)) { /* equal pieces, eight bytes at a time */
        __builtin_memcpy(&one, left, sizeof(one));
        __builtin_memcpy(&other, right, sizeof(other));
        if (one != other) {
            break;
        }
        left += sizeof(one);
        right += sizeof(other);
    }
    for (; bytes > 0 && *left == *right; bytes--) {
        left++;
        right++;
    }
    return bytes == 0 ? 0 : *left < *right ? -1 : 1;
}
