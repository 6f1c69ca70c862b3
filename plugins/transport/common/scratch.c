/* SPDX-License-Identifier: Apache-2.0 */
/* Files without a name; and zstd's home among the transports. See scratch.h. */
#include "config.h"

#include "plugins/transport/common/scratch.h"

#include "plugins/common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int scratch_open(const char *folder)
{
    char path[4096];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    /* Some file systems cannot. */
    if (fd >= 0 || snprintf(path, sizeof(path), "%s/upload-XXXXXX", folder) >= (int)sizeof(path)) {
        return fd;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        unlink(path);
    }
    return fd;
}

#ifdef HAVE_ZSTD
#include <zstd.h>

struct unpacking {
    ZSTD_DCtx *context;
    FILE *from;
    int to;
    unsigned char in[64 * 1024], out[128 * 1024];
};

/* Takes all of the input that it is given. NULL, or what went wrong. */
static const char *put(struct unpacking *unpacking, ZSTD_inBuffer *input, size_t *ret_left)
{
    while (input->pos < input->size) {
        ZSTD_outBuffer output = { unpacking->out, sizeof(unpacking->out), 0 };

        *ret_left = ZSTD_decompressStream(unpacking->context, &output, input);
        if (ZSTD_isError(*ret_left)) {
            return ZSTD_getErrorName(*ret_left);
        }
        if (fd_write(unpacking->to, unpacking->out, output.pos) != 0) {
            return strerror(errno);
        }
    }
    return NULL;
}

static const char *unpack(struct unpacking *unpacking, const struct cairn_host *host)
{
    const char *problem = NULL;
    size_t left = 1, got;

    while (problem == NULL &&
           (got = fread(unpacking->in, 1, sizeof(unpacking->in), unpacking->from)) > 0) {
        ZSTD_inBuffer input = { unpacking->in, got, 0 };

        problem = host->time_left(host) == 0 ? strerror(ETIMEDOUT) : put(unpacking, &input, &left);
    }
    return problem != NULL                ? problem
           : ferror(unpacking->from) != 0 ? strerror(EIO)
           : left != 0                    ? "it ends too early"
                                          : NULL;
}

int scratch_unpack(const struct cairn_host *host, const char *folder, const char *path)
{
    struct unpacking *unpacking = calloc(1, sizeof(*unpacking));
    const char *problem = strerror(ENOMEM);
    int fd = -1;

    if (unpacking != NULL) {
        unpacking->context = ZSTD_createDCtx();
        unpacking->from = fopen(path, "re");
        unpacking->to = fd = scratch_open(folder);
        problem = unpacking->from == NULL || fd < 0 ? strerror(errno)
                  : unpacking->context == NULL      ? strerror(ENOMEM)
                                                    : unpack(unpacking, host);
        ZSTD_freeDCtx(unpacking->context);
        if (unpacking->from != NULL) {
            fclose(unpacking->from);
        }
        free(unpacking);
    }
    if (problem != NULL) {
        host->fail(host, "The compressed minidump %s cannot be unpacked: %s.", path, problem);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

#else

int scratch_unpack(const struct cairn_host *host, const char *folder, const char *path)
{
    (void)folder;
    host->fail(host, "The minidump %s is compressed, and this transport was built without zstd.",
               path);
    return -1;
}

#endif
