/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the reader's files share: the image of the dump, bounded access to it, and the lists that
 * were made of it. Nothing outside core/minidump/reader*.c includes this. Engine, sender, tools.
 *
 * All access to the image goes through reader_at(), which is where offsets are checked.
 */
#ifndef CAIRN_CORE_MINIDUMP_READER_INNER_H
#define CAIRN_CORE_MINIDUMP_READER_INNER_H

#include "core/minidump/reader.h"

#include <endian.h>
#include <string.h>

#define READER_MAX_STREAMS     4096
#define READER_MAX_THREADS     100000
#define READER_MAX_MODULES     20000
#define READER_MAX_BLOCKS      1000000
#define READER_MAX_ANNOTATIONS 4096
#define READER_MAX_FILES       64
#define READER_MAX_TEXT        (64u * 1024 * 1024) /* all texts together: entries may share one string */

struct reader_stream {
    uint32_t type;
    uint64_t offset, bytes;
};

struct reader_annotation {
    const char *name, *value;
};

struct reader_file {
    const char *name, *text;
    size_t bytes;
};

struct reader_chunk;
struct reader_cpu;

struct minidump {
    unsigned char *image;
    size_t image_bytes;
    bool mapped; /* else allocated */

    struct reader_chunk *chunks;
    size_t text_bytes;
    bool no_memory; /* sticky: an allocation failed while the dump was opened */

    struct reader_stream *streams;
    size_t stream_count;
    uint32_t time;
    uint32_t process_id;
    const struct reader_cpu *cpu; /* NULL if unknown */
    const char *cpu_name, *system, *system_version;
    bool dword_versions; /* four numbers of 32 bits, not four of 16 */

    struct minidump_thread *threads;
    size_t thread_count;
    uint32_t *threads_by_id; /* indexes, sorted by id */
    struct minidump_module *modules;
    size_t module_count;
    uint32_t *modules_by_base; /* indexes, sorted by base */
    struct minidump_block *blocks;
    size_t block_count;
    struct minidump_exception exception;
    struct reader_annotation *annotations;
    size_t annotation_count;
    struct reader_file files[READER_MAX_FILES];
    size_t file_count;
};

/* Little-endian numbers at any alignment. */
static inline uint16_t reader_u16(const unsigned char *data)
{
    uint16_t value;

    memcpy(&value, data, sizeof(value));
    return le16toh(value);
}

static inline uint32_t reader_u32(const unsigned char *data)
{
    uint32_t value;

    memcpy(&value, data, sizeof(value));
    return le32toh(value);
}

static inline uint64_t reader_u64(const unsigned char *data)
{
    uint64_t value;

    memcpy(&value, data, sizeof(value));
    return le64toh(value);
}

/* `bytes` bytes of the image at `offset`, or NULL when they are not all there. */
static inline const unsigned char *reader_at(const struct minidump *dump, uint64_t offset,
                                             uint64_t bytes)
{
    if (offset > dump->image_bytes || bytes > dump->image_bytes - offset) {
        return NULL;
    }
    return dump->image + offset;
}

/* The bytes that a MINIDUMP_LOCATION_DESCRIPTOR (size, offset) names; NULL when they are not there
 * or fewer than `least`. */
static inline const unsigned char *reader_located(const struct minidump *dump,
                                                  const unsigned char *descriptor, size_t least,
                                                  size_t *ret_bytes)
{
    uint32_t bytes = reader_u32(descriptor);
    const unsigned char *data = reader_at(dump, reader_u32(descriptor + 4), bytes);

    if (data == NULL || bytes < least) {
        return NULL;
    }
    *ret_bytes = bytes;
    return data;
}

/* The entries of a list stream: a 32 bit count, sometimes four bytes of padding, then the entries.
 * A list that promises more than its stream holds has the entries that are there. */
struct reader_list {
    const unsigned char *entries;
    size_t count;
};
bool reader_list(const struct minidump *dump, uint32_t type, size_t entry_bytes, size_t most,
                 struct reader_list *ret_list);

/* Memory that lives as long as the dump; NULL at READER_MAX_TEXT or without memory (sticky). */
char *reader_allocate(struct minidump *dump, size_t bytes);
/* A copy with a NUL, as it is; never NULL: "" when there is no room. */
const char *reader_copy(struct minidump *dump, const void *data, size_t bytes);
/* MINIDUMP_STRING (UTF-16) as UTF-8, cut after `most` units; never NULL: "" when it is not there.
 */
const char *reader_utf16(struct minidump *dump, uint64_t offset, size_t most);
/* Crashpad's MinidumpUTF8String and MinidumpByteArray; NULL when it is not there. */
const char *reader_utf8(struct minidump *dump, uint64_t offset, size_t most);

/* Each fills its part of the dump. A bad stream leaves it empty; memory failure is sticky. */
void reader_read_system(struct minidump *dump);
void reader_read_threads(struct minidump *dump);
void reader_read_exception(struct minidump *dump);
void reader_read_modules(struct minidump *dump);
void reader_read_memory(struct minidump *dump);
void reader_read_files(struct minidump *dump);
void reader_read_annotations(struct minidump *dump);

/* The CPU by its number in the system information stream; NULL if its contexts are not known. */
const struct reader_cpu *reader_find_cpu(uint16_t architecture);
/* The context if it is long enough for the dump's CPU, else NULL. */
const void *reader_context(const struct minidump *dump, const unsigned char *descriptor,
                           size_t *ret_bytes);
void reader_key_registers(const struct minidump *dump, const void *context, uint64_t *ret_ip,
                          uint64_t *ret_sp, uint64_t *ret_fp);

/* The block that holds `address`, or the index past the last block that starts at or below it. */
bool reader_find_block(const struct minidump *dump, uint64_t address, size_t *ret_index);

#endif
