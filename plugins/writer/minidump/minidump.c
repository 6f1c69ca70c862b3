/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer/minidump: keeps the captured minidump as an artifact, without the data classes that its
 * options do not include, on request without what the program had on its stacks. What is left out
 * is never written to the new file, not even for a moment. Runs in a step of the engine.
 */
#include "plugins/writer/minidump/reduce.h"
#include "plugins/writer/minidump/sanitize.h"

#include <cairn/plugin.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE  (16u << 20) /* bytes between two looks at the clock */
#define WINDOW (64u << 10) /* bytes that are sanitised at once */

enum memory { MEMORY_STACKS, MEMORY_REFERENCED, MEMORY_FULL };

struct config {
    int32_t memory; /* heeded when the process is captured, by the plan made from these options */
    struct cairn_list include; /* of int32_t: which bit of REDUCE_… */
    int32_t sanitize;
};

static const char *const memories[] = { "stacks", "referenced", "full", NULL };
static const char *const includes[] = { "command-line", "environment", "descriptors", NULL };

static const struct cairn_option options[] = {
    { .name = "memory",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config, memory),
      .default_text = "stacks",
      .choices = memories,
      .capture = "=",
      .help =
          "stacks: stacks and registered regions; referenced: also what they point to; full: all "
          "memory that a core dump would hold." },
    { .name = "include",
      .type = CAIRN_OPTION_ENUM,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, include),
      .choices = includes,
      .capture = "=",
      .help =
          "Personal data to keep in the dump: command-line, environment, descriptors (what is open "
          "at the time); none by default." },
    { .name = "sanitize",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct config, sanitize),
      .default_text = "false",
      .help =
          "Replace the words on stacks that are neither small numbers nor pointers to code or to "
          "stacks. A stack walk does not need them. Goes with memory: stacks." },
    { .name = NULL },
};

static int check(const struct cairn_host *host, const void *options_)
{
    const struct config *config = options_;

    if (config->sanitize && config->memory != MEMORY_STACKS) {
        return host->problem(host, "sanitize",
                             "sanitizes stacks, but \"memory: %s\" keeps other memory as well; "
                             "say \"memory: stacks\"",
                             memories[config->memory]);
    }
    return CAIRN_PLUGIN_OK;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static unsigned classes_to_drop(const struct config *config)
{
    const int32_t *items = config->include.items;
    unsigned classes = REDUCE_ALL;

    for (size_t i = 0; i < config->include.count; i++) {
        classes &= ~(1u << items[i]);
    }
    return classes;
}

static int write_all(int fd, const unsigned char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t written = write(fd, data, bytes);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return -1;
        }
        data += written;
        bytes -= (size_t)written;
    }
    return 0;
}

static int write_zeros(int fd, uint64_t bytes)
{
    static const unsigned char zeros[4096];

    while (bytes > 0) {
        size_t piece = bytes < sizeof(zeros) ? (size_t)bytes : sizeof(zeros);

        if (write_all(fd, zeros, piece) != 0) {
            return -1;
        }
        bytes -= piece;
    }
    return 0;
}

/* One file being copied: the source both as descriptor and as mapping. */
struct copy {
    const struct cairn_host *host;
    const unsigned char *data;
    int from, to;
    const struct sanitizer *sanitizer; /* or NULL */
};

/* Copies within the kernel, or by write(2) from the mapping where the file systems cannot. */
static int copy_range(const struct copy *copy, uint64_t offset, uint64_t bytes)
{
    while (bytes > 0) {
        size_t piece = bytes < PIECE ? (size_t)bytes : PIECE;
        off_t place = (off_t)offset;
        ssize_t copied = copy_file_range(copy->from, &place, copy->to, NULL, piece, 0);

        if (copy->host->time_left(copy->host) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (copied <= 0) {
            if (write_all(copy->to, copy->data + offset, piece) != 0) {
                return -1;
            }
            copied = (ssize_t)piece;
        }
        offset += (uint64_t)copied;
        bytes -= (uint64_t)copied;
    }
    return 0;
}

/* The same for memory contents, through the sanitiser. */
static int copy_memory(const struct copy *copy, const struct sanitize_piece *piece, uint64_t offset,
                       uint64_t bytes)
{
    unsigned char window[WINDOW];

    while (bytes > 0) {
        size_t part = bytes < sizeof(window) ? (size_t)bytes : sizeof(window);

        sanitize_copy(copy->sanitizer, piece, offset, part, window);
        if (write_all(copy->to, window, part) != 0) {
            return -1;
        }
        if (copy->host->time_left(copy->host) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        offset += part;
        bytes -= part;
    }
    return 0;
}

/* What is memory goes one way, the rest the other. */
static int copy_clean(const struct copy *copy, uint64_t offset, uint64_t bytes)
{
    uint64_t end = offset + bytes;

    while (offset < end) {
        const struct sanitize_piece *piece =
            copy->sanitizer != NULL ? sanitize_next(copy->sanitizer, offset) : NULL;
        bool inside = piece != NULL && piece->offset <= offset;
        uint64_t stop = piece == NULL ? end : inside ? piece->offset + piece->bytes : piece->offset;
        int result;

        stop = stop < end ? stop : end;
        result = inside ? copy_memory(copy, piece, offset, stop - offset)
                        : copy_range(copy, offset, stop - offset);
        if (result != 0) {
            return result;
        }
        offset = stop;
    }
    return 0;
}

static int copy_without(const struct copy *copy, uint64_t bytes, const struct holes *holes)
{
    uint64_t offset = 0;

    for (size_t i = 0; i < holes->count; i++) {
        const struct hole *hole = &holes->items[i];

        if (copy_clean(copy, offset, hole->offset - offset) != 0 ||
            write_zeros(copy->to, hole->bytes) != 0) {
            return -1;
        }
        offset = hole->offset + hole->bytes;
    }
    return copy_clean(copy, offset, bytes - offset);
}

static int write_mapped(const struct config *config, struct cairn_writer_args *args,
                        const struct copy *copy, size_t bytes)
{
    const struct cairn_host *host = args->host;
    struct holes holes;
    const char *stat;
    size_t stat_bytes;
    int status;

    if (!host->process_file(host, args->report, "stat", &stat, &stat_bytes)) {
        stat = NULL;
    }
    status = reduce_find(copy->data, bytes, classes_to_drop(config), stat, &holes);
    if (status != 0) {
        return status == -1
                   ? host->fail(host, "The captured file of %zu bytes is not a minidump.", bytes)
                   : host->fail(host, "No memory to reduce the minidump.");
    }
    status = CAIRN_PLUGIN_OK;
    if (copy_without(copy, bytes, &holes) != 0) {
        status = host->fail(host, "The minidump of %zu bytes could not be written: %s.", bytes,
                            strerror(errno));
    }
    free(holes.items);
    return status;
}

static int write_sanitized(const struct config *config, struct cairn_writer_args *args,
                           const struct copy *copy, size_t bytes)
{
    struct copy through = *copy;
    struct sanitizer sanitizer;
    int result;

    if (!config->sanitize) {
        return write_mapped(config, args, copy, bytes);
    }
    if (sanitize_init(&sanitizer, copy->data, bytes) == 0) {
        through.sanitizer = &sanitizer;
        result = write_mapped(config, args, &through, bytes);
    } else {
        result = args->host->fail(args->host, "No memory to sanitize the minidump.");
    }
    sanitize_finish(&sanitizer);
    return result;
}

static int write_dump(void *context, struct cairn_writer_args *args)
{
    const struct cairn_host *host = args->host;
    int fd = host->minidump_fd(host, args->report);
    struct stat status;
    void *data;
    int result;

    if (fd < 0) {
        return CAIRN_PLUGIN_UNSUPPORTED;
    }
    if (fstat(fd, &status) != 0) {
        return host->fail(host, "The captured minidump cannot be read: %s.", strerror(errno));
    }
    if (status.st_size <= 0) {
        return host->fail(host, "The captured minidump is empty.");
    }
    data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        return host->fail(host, "The captured minidump of %lld bytes cannot be mapped: %s.",
                          (long long)status.st_size, strerror(errno));
    }
    result = write_sanitized(context, args, &(struct copy){ host, data, fd, args->fd, NULL },
                             (size_t)status.st_size);
    munmap(data, (size_t)status.st_size);
    return result;
}

static const struct cairn_writer_ops ops = {
    .size = sizeof(ops),
    .check = check,
    .create = create,
    .write = write_dump,
    .extension = "dmp",
    .media_type = "application/x-dmp",
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_WRITER),
    .capabilities = CAIRN_CAP_PERSONAL_DATA,
    .name = "minidump",
    .version = "1.0.0",
    .summary = "Keeps the captured minidump, without personal data that is not asked for.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_WRITER, "minidump");
