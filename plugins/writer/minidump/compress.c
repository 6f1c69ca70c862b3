/* SPDX-License-Identifier: Apache-2.0 */
/* zstd as a stream; the one home of zstd.h in this plugin. Runs in a step of the engine. */
#include "config.h"

#include "plugins/writer/minidump/compress.h"

#include "plugins/common/fd.h"

#include <errno.h>
#include <stdlib.h>

#ifdef HAVE_ZSTD
#include <zstd.h>

struct compressor {
    ZSTD_CCtx *context;
    int fd;
    size_t capacity;
    uint64_t room; /* left */
    unsigned char *out;
};

void compress_close(struct compressor *compressor)
{
    if (compressor != NULL) {
        ZSTD_freeCCtx(compressor->context);
        free(compressor->out);
        free(compressor);
    }
}

/* With a checksum: a dump that lay on a bad disk must not be taken for the truth. */
static int configure(ZSTD_CCtx *context, int level, uint64_t bytes)
{
    return ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)) ||
                   ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)) ||
                   ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(context, bytes))
               ? -1
               : 0;
}

struct compressor *compress_open(int fd, int level, uint64_t bytes, uint64_t room)
{
    struct compressor *compressor = calloc(1, sizeof(*compressor));

    if (compressor == NULL) {
        return NULL;
    }
    compressor->fd = fd;
    compressor->room = room;
    compressor->capacity = ZSTD_CStreamOutSize();
    compressor->out = malloc(compressor->capacity);
    compressor->context = ZSTD_createCCtx();
    if (compressor->out == NULL || compressor->context == NULL ||
        configure(compressor->context, level, bytes) != 0) {
        compress_close(compressor);
        return NULL;
    }
    return compressor;
}

/* Until the input is taken, or, at the end, all of it is written. */
static int run(struct compressor *compressor, ZSTD_inBuffer *input, ZSTD_EndDirective how)
{
    size_t left;

    do {
        ZSTD_outBuffer output = { compressor->out, compressor->capacity, 0 };

        left = ZSTD_compressStream2(compressor->context, &output, input, how);
        if (ZSTD_isError(left)) {
            errno = ENOMEM; /* what else can go wrong here: a size that is not the pledged one */
            return -1;
        }
        if (output.pos > compressor->room) {
            errno = EFBIG;
            return -1;
        }
        compressor->room -= output.pos;
        if (fd_write(compressor->fd, compressor->out, output.pos) != 0) {
            return -1;
        }
    } while (how == ZSTD_e_end ? left != 0 : input->pos < input->size);
    return 0;
}

int compress_feed(struct compressor *compressor, const void *data, size_t bytes)
{
    ZSTD_inBuffer input = { data, bytes, 0 };

    return run(compressor, &input, ZSTD_e_continue);
}

int compress_end(struct compressor *compressor)
{
    ZSTD_inBuffer nothing = { NULL, 0, 0 };

    return run(compressor, &nothing, ZSTD_e_end);
}

#else

struct compressor *compress_open(int fd, int level, uint64_t bytes, uint64_t room)
{
    (void)fd, (void)level, (void)bytes, (void)room;
    return NULL;
}

int compress_feed(struct compressor *compressor, const void *data, size_t bytes)
{
    (void)compressor, (void)data, (void)bytes;
    errno = ENOSYS;
    return -1;
}

int compress_end(struct compressor *compressor)
{
    (void)compressor;
    errno = ENOSYS;
    return -1;
}

void compress_close(struct compressor *compressor)
{
    (void)compressor;
}

#endif
