/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes of the new minidump go: as they are, or through zstd. In bounded memory, whatever
 * the size. Runs in a step of the engine.
 */
#ifndef CAIRN_PLUGINS_WRITER_MINIDUMP_COMPRESS_H
#define CAIRN_PLUGINS_WRITER_MINIDUMP_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

#define COMPRESS_DEFAULT_LEVEL 3

struct compressor;

/* NULL: no memory, or built without zstd. `bytes` is what is going to be fed, `room` what may come
 * of it. */
struct compressor *compress_open(int fd, int level, uint64_t bytes, uint64_t room);

/* 0, or -1 with errno set: EFBIG when more than the room would be written. */
int compress_feed(struct compressor *compressor, const void *data, size_t bytes);

/* Writes what is left. 0, or -1 with errno set. */
int compress_end(struct compressor *compressor);

void compress_close(struct compressor *compressor);

#endif
