/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little that the writer knows of a minidump's format, stated here anew because plugins see no
 * header of Cairn's core: minidumpapiset.h for header, directory and lists, Breakpad's
 * minidump_format.h for 0x4767…, core/minidump/format.h for Cairn's own records.
 */
#ifndef CAIRN_PLUGINS_WRITER_MINIDUMP_LAYOUT_H
#define CAIRN_PLUGINS_WRITER_MINIDUMP_LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LAYOUT_SIGNATURE             0x504d444du /* "MDMP" */
#define LAYOUT_HEADER_BYTES          32
#define LAYOUT_HEADER_STREAM_COUNT   8 /* where in the header */
#define LAYOUT_HEADER_DIRECTORY      12
#define LAYOUT_DIRECTORY_ENTRY_BYTES 12 /* type, size, offset: 32 bits each */

#define LAYOUT_THREAD_LIST      3u
#define LAYOUT_MODULE_LIST      4u
#define LAYOUT_MEMORY_LIST      5u
#define LAYOUT_EXCEPTION        6u /* begins with the thread's id, 32 bits */
#define LAYOUT_MEMORY64_LIST    9u
#define LAYOUT_HANDLE_DATA      12u
#define LAYOUT_MEMORY_INFO_LIST 16u
#define LAYOUT_COMMAND_LINE     0x47670006u
#define LAYOUT_ENVIRONMENT      0x47670007u
#define LAYOUT_CRASHPAD         0x43500001u
#define LAYOUT_CAIRN            0x43524e01u

#define LAYOUT_THREAD_BYTES     48
#define LAYOUT_THREAD_STACK     24  /* where in a thread its memory descriptor lies */
#define LAYOUT_THREAD_CONTEXT   44  /* and the offset of its registers */
#define LAYOUT_MODULE_BYTES     108 /* address (64 bits), size (32 bits), … */
#define LAYOUT_MODULE_NAME      20  /* where in a module its name's offset lies */
#define LAYOUT_DESCRIPTOR_BYTES 16  /* address (64 bits), size, offset: 32 bits each */
#define LAYOUT_DESCRIPTOR64_BYTES                                                                  \
    16 /* address, size: 64 bits each; contents follow one another                                 \
        */

#define LAYOUT_ANNOTATION_BYTES 24
/* Where in Crashpad's stream size and offset of its annotations lie; offsets of name and value. */
#define LAYOUT_CRASHPAD_PAIRS 36
#define LAYOUT_PAIR_BYTES     8

#define LAYOUT_RECORD_HEADER_BYTES 8   /* type, bytes; the next record begins at a multiple of 4 */
#define LAYOUT_RECORD_ANNOTATION   5u  /* type, name_bytes, 16 more bytes, name, value */
#define LAYOUT_RECORD_BREADCRUMB   6u  /* time (64 bits), … */
#define LAYOUT_RECORD_MESSAGE      9u  /* text */
#define LAYOUT_RECORD_PROCESS_FILE 12u /* name_bytes, content_bytes, name, content */
#define LAYOUT_RECORD_REGION       14u /* start, bytes: 64 bits each, name_bytes, …, name */
#define LAYOUT_REGION_BYTES        24
#define LAYOUT_REGION_NAME         16 /* where in a region's record its name_bytes lie */

struct layout_bytes {
    const unsigned char *data;
    size_t count;
};

static inline uint32_t layout_get32(const unsigned char *data)
{
    uint32_t value;

    memcpy(&value, data, sizeof(value));
    return value;
}

static inline uint64_t layout_get64(const unsigned char *data)
{
    uint64_t value;

    memcpy(&value, data, sizeof(value));
    return value;
}

/* Where the directory lies and how many entries it has; 0, or -1: this is no minidump. */
int layout_directory(struct layout_bytes dump, uint64_t *ret_offset, uint64_t *ret_count);

/* A list of a 32-bit count and entries; some writers pad the count to 64 bits. The entries that are
 * in the stream. */
struct layout_bytes layout_entries(struct layout_bytes stream, size_t entry_bytes);

/* The next of Cairn's own records at *place of their stream: its type and content. 0 at the end. */
int layout_record(struct layout_bytes stream, size_t *place, uint32_t *ret_type,
                  struct layout_bytes *ret_content);

#endif
