/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a minidump: its image, header and directory; see reader.h. Engine, sender, tools.
 *
 * The image is a copy in memory, so that nobody can change or truncate it under us. Only dumps
 * beyond READER_COPY_LIMIT (full memory dumps) are mapped instead: who truncates one of those while
 * it is read kills the reading process by SIGBUS, which costs a step, or an engine that is run
 * again.
 */
#include "core/minidump/reader_inner.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define READER_COPY_LIMIT     (256u * 1024 * 1024)
#define HEADER_BYTES          32
#define ZSTD_SIGNATURE        0xfd2fb528u
#define DIRECTORY_ENTRY_BYTES 12

static int copy_image(int fd, const char *name, size_t bytes, struct minidump *dump,
                      struct error *error)
{
    dump->image = malloc(bytes);
    if (dump->image == NULL) {
        return error_set(error, CAIRN_ENOMEM, "There is not enough memory for the %zu bytes of %s.",
                         bytes, name);
    }
    while (dump->image_bytes < bytes) {
        ssize_t got = pread(fd, dump->image + dump->image_bytes, bytes - dump->image_bytes,
                            (off_t)dump->image_bytes);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be read", name);
        }
        if (got == 0) {
            break; /* truncated meanwhile: what was read is what there is */
        }
        dump->image_bytes += (size_t)got;
    }
    return 0;
}

static int load_image(int fd, const char *name, struct minidump *dump, struct error *error)
{
    struct stat status;
    void *mapping;

    if (fstat(fd, &status) != 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be examined", name);
    }
    if (!S_ISREG(status.st_mode)) {
        return error_set(error, CAIRN_EFORMAT, "%s is not a regular file.", name);
    }
    if (status.st_size < HEADER_BYTES) {
        return error_set(error, CAIRN_EFORMAT, "%s has %lld bytes, too few for a minidump.", name,
                         (long long)status.st_size);
    }
    if (status.st_size <= (off_t)READER_COPY_LIMIT) {
        return copy_image(fd, name, (size_t)status.st_size, dump, error);
    }
    mapping = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapping == MAP_FAILED) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be mapped", name);
    }
    dump->image = mapping;
    dump->image_bytes = (size_t)status.st_size;
    dump->mapped = true;
    return 0;
}

static int check_header(const struct minidump *dump, const char *name, struct error *error)
{
    const unsigned char *header = reader_at(dump, 0, HEADER_BYTES);
    uint32_t version;

    if (header == NULL) {
        return error_set(error, CAIRN_EFORMAT, "%s was truncated while it was read.", name);
    }
    if (memcmp(header, "PMDM", 4) == 0) {
        return error_set(error, CAIRN_EFORMAT,
                         "%s is a minidump of a big-endian machine, which Cairn does not read.",
                         name);
    }
    if (reader_u32(header) == ZSTD_SIGNATURE) {
        return error_set(error, CAIRN_EFORMAT, "%s is compressed; zstd -d makes a minidump of it.",
                         name);
    }
    if (reader_u32(header) != MINIDUMP_SIGNATURE) {
        return error_set(error, CAIRN_EFORMAT, "%s is not a minidump: it does not begin with MDMP.",
                         name);
    }
    version = reader_u32(header + 4);
    if ((version & 0xffff) != MINIDUMP_VERSION) { /* the upper half is the writer's own affair */
        return error_set(error, CAIRN_EFORMAT, "%s has the minidump version 0x%x instead of 0x%x.",
                         name, (unsigned)(version & 0xffff), MINIDUMP_VERSION);
    }
    return 0;
}

static bool has_stream(const struct minidump *dump, uint32_t type)
{
    for (size_t i = 0; i < dump->stream_count; i++) {
        if (dump->streams[i].type == type) {
            return true;
        }
    }
    return false;
}

/* Keeps the streams that lie within the file; of several with one type the first. */
static int read_directory(struct minidump *dump, const char *name, struct error *error)
{
    const unsigned char *header = reader_at(dump, 0, HEADER_BYTES);
    uint32_t count = reader_u32(header + 8);
    uint32_t offset = reader_u32(header + 12);
    const unsigned char *entry;

    dump->time = reader_u32(header + 20);
    if (count > READER_MAX_STREAMS) {
        return error_set(error, CAIRN_EFORMAT, "%s claims %u streams; %u is the most Cairn reads.",
                         name, count, READER_MAX_STREAMS);
    }
    dump->streams = calloc(count > 0 ? count : 1, sizeof(*dump->streams));
    if (dump->streams == NULL) {
        return error_set(error, CAIRN_ENOMEM, "There is not enough memory to read %s.", name);
    }
    for (uint32_t i = 0; i < count; i++) {
        entry = reader_at(dump, (uint64_t)offset + (uint64_t)i * DIRECTORY_ENTRY_BYTES,
                          DIRECTORY_ENTRY_BYTES);
        if (entry == NULL) {
            return error_set(error, CAIRN_EFORMAT,
                             "%s is cut off: the directory of its %u streams lies beyond its end.",
                             name, count);
        }
        struct reader_stream stream = { reader_u32(entry), reader_u32(entry + 8),
                                        reader_u32(entry + 4) };

        if (stream.type != MINIDUMP_STREAM_UNUSED &&
            reader_at(dump, stream.offset, stream.bytes) != NULL &&
            !has_stream(dump, stream.type)) {
            dump->streams[dump->stream_count++] = stream;
        }
    }
    return 0;
}

int minidump_open(int fd, const char *name, struct minidump **ret_dump, struct error *error)
{
    struct minidump *dump = calloc(1, sizeof(*dump));
    int result;

    if (dump == NULL) {
        return error_set(error, CAIRN_ENOMEM, "There is not enough memory to read %s.", name);
    }
    result = load_image(fd, name, dump, error);
    if (result == 0) {
        result = check_header(dump, name, error);
    }
    if (result == 0) {
        result = read_directory(dump, name, error);
    }
    if (result != 0) {
        minidump_close(dump);
        return result;
    }
    reader_read_system(dump); /* first: contexts and versions depend on it */
    reader_read_memory(dump); /* before the threads: their stacks may lie in it */
    reader_read_threads(dump);
    reader_read_exception(dump);
    reader_read_modules(dump);
    reader_read_files(dump);
    reader_read_annotations(dump);
    if (dump->no_memory) {
        minidump_close(dump);
        return error_set(error, CAIRN_ENOMEM, "There is not enough memory to read %s.", name);
    }
    *ret_dump = dump;
    return 0;
}

bool minidump_stream(const struct minidump *dump, uint32_t type, const void **ret_data,
                     size_t *ret_bytes)
{
    for (size_t i = 0; i < dump->stream_count; i++) {
        const struct reader_stream *stream = &dump->streams[i];

        if (stream->type == type) {
            *ret_data = dump->image + stream->offset;
            *ret_bytes = stream->bytes;
            return true;
        }
    }
    return false;
}

bool reader_list(const struct minidump *dump, uint32_t type, size_t entry_bytes, size_t most,
                 struct reader_list *ret_list)
{
    const unsigned char *stream;
    const void *data;
    size_t bytes, count, head = 4;

    if (!minidump_stream(dump, type, &data, &bytes) || bytes < head) {
        return false;
    }
    stream = data;
    count = reader_u32(stream);
    if (bytes >= 8 && bytes - 8 == (uint64_t)count * entry_bytes) {
        head = 8; /* some writers align the entries to 8 bytes */
    }
    if (count > (bytes - head) / entry_bytes) {
        count = (bytes - head) / entry_bytes;
    }
    ret_list->entries = stream + head;
    ret_list->count = count < most ? count : most;
    return true;
}

uint64_t minidump_time(const struct minidump *dump)
{
    return dump->time;
}

uint32_t minidump_process_id(const struct minidump *dump)
{
    return dump->process_id;
}

const char *minidump_cpu(const struct minidump *dump)
{
    return dump->cpu_name;
}

const char *minidump_system(const struct minidump *dump)
{
    return dump->system;
}

const char *minidump_system_version(const struct minidump *dump)
{
    return dump->system_version;
}
