/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of files and memory by libmd, whose one home this is. Not in the crashed process. */
#include "core/util/text.h"

#include <cairn/cairn.h>
#include <errno.h>
#include <sha2.h>
#include <unistd.h>

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
        SHA256Update(&context, block, (size_t)got);
        offset += got;
    }
    SHA256End(&context, ret_hex);
    return 0;
}

void text_sha256(const void *data, size_t bytes, char ret_hex[65])
{
    SHA256Data(data, bytes, ret_hex);
}
