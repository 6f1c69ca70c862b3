/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of files and memory by libmd, whose one home this is; what is large by the processor's
 * own instructions, if it has them. Every process but the crashed one.
 */
#include "core/util/arch/sha256.h"
#include "core/util/text.h"

#include <cairn/cairn.h>
#include <errno.h>
#include <sha2.h>
#include <unistd.h>

#define LARGE_BYTES 16384 /* what is less, libmd is done with before the processor is asked */

/* libmd keeps a started block in the context's buffer: there it is to go on by itself. */
static void update(SHA2_CTX *context, const unsigned char *data, size_t bytes)
{
    size_t whole = bytes - bytes % SHA256_BLOCK;

    if (bytes >= LARGE_BYTES && context->bitcount[0] % (SHA256_BLOCK * 8) == 0 &&
        arch_sha256_blocks(context->state.st32, data, whole / SHA256_BLOCK)) {
        context->bitcount[0] += (uint64_t)whole * 8;
        data += whole;
        bytes -= whole;
    }
    SHA256Update(context, data, bytes);
}

int text_sha256_fd(int fd, char ret_hex[65])
{
    unsigned char block[64 * 1024];
    SHA2_CTX context;
    off_t offset = 0;

    SHA256Init(&context);
    for (;;) {
        ssize_t got = pread(fd, block, sizeof(block), offset);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return CAIRN_ESYSTEM;
        }
        if (got == 0) {
            break;
        }
        update(&context, block, (size_t)got);
        offset += got;
    }
    SHA256End(&context, ret_hex);
    return 0;
}

void text_sha256(const void *data, size_t bytes, char ret_hex[65])
{
    SHA2_CTX context;

    SHA256Init(&context);
    update(&context, data, bytes);
    SHA256End(&context, ret_hex);
}
