/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer/minidump: keeps the captured minidump as an artifact, without the data classes that its
 * options do not include and what annotators have replaced, on request without what the program had
 * on its stacks, or compressed.
 * What is left out is never written to the new file, not even for a moment; a large dump becomes
 * the new file by itself, after the host has filled the gaps. One for which there is no room loses
 * memory, by priority. Runs in a step of the engine.
 */
#include "config.h"

#include "plugins/writer/minidump/output.h"
#include "plugins/writer/minidump/said.h"

#include <cairn/plugin.h>

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORTH_TAKING (8u << 20) /* bytes: what is smaller is copied, and is there at once */

enum memory { MEMORY_STACKS, MEMORY_REFERENCED, MEMORY_FULL };
enum compression { COMPRESS_NONE, COMPRESS_ZSTD };

struct config {
    int32_t memory; /* heeded when the process is captured, by the plan made from these options */
    struct cairn_list include; /* of int32_t: which bit of REDUCE_… */
    int32_t sanitize;
    int32_t compress;
    int64_t level;
};

static const char *const memories[] = { "stacks", "referenced", "full", NULL };
static const char *const compressions[] = { "none",
#ifdef HAVE_ZSTD
                                            "zstd",
#endif
                                            NULL };
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
    { .name = "compress",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config, compress),
      .default_text = "none",
      .choices = compressions,
      .help = "none, or zstd: the artifact is INSTANCE.dmp.zst then, and whoever reads it unpacks "
              "it by "
              "`zstd -d`." },
    { .name = "level",
      .type = CAIRN_OPTION_INTEGER,
      .offset = offsetof(struct config, level),
      .default_text = "3",
      .min = 1,
      .max = 19,
      .help = "How hard zstd tries. A second or so per GiB is usual for 1, three for 3: give the "
              "writer of a large dump a `timeout` that suffices." },
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

/* The file itself is what is wanted, but for the holes: no copy of it has to be made. */
static bool take_whole(const struct output *output, uint64_t bytes, const struct holes *holes)
{
    const struct cairn_artifact_service *artifact =
        bytes >= WORTH_TAKING && output->sanitizer == NULL && output->compressor == NULL
            ? output->host->service(output->host, CAIRN_SERVICE_ARTIFACT)
            : NULL;

    return artifact != NULL &&
           artifact->take_minidump(output->host, holes->items, holes->count) == CAIRN_PLUGIN_OK;
}

/* All of it at first, even where there is no room: compressed it may fit. */
static int write_all(const struct output *output, uint64_t bytes, const struct holes *holes)
{
    if (output->shrink == NULL && output->compressor == NULL && bytes > output->room) {
        errno = EFBIG;
        return -1;
    }
    if (output_copy(output, bytes, holes) != 0) {
        return -1;
    }
    return output->compressor != NULL ? compress_end(output->compressor) : 0;
}

static int write_reduced(struct output *output, uint64_t bytes, const struct holes *holes)
{
    if (output->shrink == NULL && take_whole(output, bytes, holes)) {
        return CAIRN_PLUGIN_OK;
    }
    if (write_all(output, bytes, holes) == 0) {
        return CAIRN_PLUGIN_OK;
    }
    if (output->shrink == NULL && errno == EFBIG) {
        output->too_large = 1;
        return CAIRN_PLUGIN_FAILED;
    }
    return output->host->fail(output->host,
                              "The minidump of %" PRIu64 " bytes could not be written: %s.", bytes,
                              strerror(errno));
}

static int write_mapped(const struct config *config, struct cairn_writer_args *args,
                        struct output *output, size_t bytes)
{
    const struct cairn_host *host = args->host;
    struct holes holes;
    const char *stat;
    size_t stat_bytes;
    int status;

    if (!host->process_file(host, args->report, "stat", &stat, &stat_bytes)) {
        stat = NULL;
    }
    status = reduce_find(output->data, bytes, classes_to_drop(config), stat, &holes);
    if (status != 0) {
        return status == -1
                   ? host->fail(host, "The captured file of %zu bytes is not a minidump.", bytes)
                   : host->fail(host, "No memory to reduce the minidump.");
    }
    status = said_find(host, args->report, output->data, bytes, &holes) == 0
                 ? write_reduced(output, bytes, &holes)
                 : host->fail(host, "No memory to reduce the minidump.");
    free(holes.items);
    return status;
}

static int write_sanitized(const struct config *config, struct cairn_writer_args *args,
                           struct output *output, size_t bytes)
{
    struct sanitizer sanitizer;
    int result;

    if (!config->sanitize) {
        return write_mapped(config, args, output, bytes);
    }
    if (sanitize_init(&sanitizer, output->data, bytes) == 0) {
        output->sanitizer = &sanitizer;
        result = write_mapped(config, args, output, bytes);
        output->sanitizer = NULL;
    } else {
        result = args->host->fail(args->host, "No memory to sanitize the minidump.");
    }
    sanitize_finish(&sanitizer);
    return result;
}

static int write_compressed(const struct config *config, struct cairn_writer_args *args,
                            struct output *output, size_t bytes)
{
    const struct cairn_host *host = args->host;
    const struct cairn_artifact_service *artifact = host->service(host, CAIRN_SERVICE_ARTIFACT);
    int result;

    if (config->compress == COMPRESS_NONE) {
        return write_sanitized(config, args, output, bytes);
    }
    if (artifact == NULL || artifact->set_type(host, "dmp.zst", "application/zstd") != 0) {
        return host->fail(host, "This host cannot name a compressed minidump.");
    }
    output->compressor =
        compress_open(output->to, (int)config->level,
                      output->shrink != NULL ? output->shrink->bytes : bytes, output->room);
    result = output->compressor != NULL ? write_sanitized(config, args, output, bytes)
                                        : host->fail(host, "No memory to compress the minidump.");
    compress_close(output->compressor);
    output->compressor = NULL;
    return result;
}

static int refuse_to_shrink(const struct cairn_host *host, enum shrink_result why,
                            const struct output *output, size_t bytes)
{
    return why == SHRINK_NO_MEMORY ? host->fail(host, "No memory to shorten the minidump.")
           : why == SHRINK_NO_ROOM
               ? host->fail(host,
                            "There are %" PRIu64 " bytes for the minidump, which do not suffice "
                            "even without any memory of the process.",
                            output->room)
               : host->fail(host,
                            "The minidump has %zu bytes instead of at most %" PRIu64
                            ", and is not laid out so that it could be shortened.",
                            bytes, output->room);
}

/* Once more, and less of it. */
static int write_shrunk(const struct config *config, struct cairn_writer_args *args,
                        struct output *output, size_t bytes)
{
    const struct cairn_host *host = args->host;
    struct shrink shrink;
    enum shrink_result why = shrink_init(&shrink, output->data, bytes, output->room);
    int result;

    if (why != SHRINK_DONE) {
        return refuse_to_shrink(host, why, output, bytes);
    }
    if (ftruncate(output->to, 0) != 0 || lseek(output->to, 0, SEEK_SET) != 0) {
        result = host->fail(host, "The minidump cannot be begun anew: %s.", strerror(errno));
    } else {
        output->shrink = &shrink;
        result = write_compressed(config, args, output, bytes);
    }
    if (result == CAIRN_PLUGIN_OK) {
        host->note(host,
                   "%" PRIu64
                   " bytes of memory were left out of the minidump, because there was room "
                   "for %" PRIu64 " bytes.",
                   shrink.lost, output->room);
    }
    shrink_finish(&shrink);
    return result;
}

/* An older host does not tell. */
static uint64_t room_of(const struct cairn_host *host)
{
    const struct cairn_artifact_service *artifact = host->service(host, CAIRN_SERVICE_ARTIFACT);

    return artifact != NULL && artifact->size >= offsetof(struct cairn_artifact_service, room) +
                                                     sizeof(artifact->room)
               ? artifact->room(host)
               : UINT64_MAX;
}

static int write_fitting(const struct config *config, struct cairn_writer_args *args,
                         struct output *output, size_t bytes)
{
    int result;

    output->room = room_of(args->host);
    result = write_compressed(config, args, output, bytes);
    return output->too_large ? write_shrunk(config, args, output, bytes) : result;
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
    result = write_fitting(
        context, args, &(struct output){ .host = host, .data = data, .from = fd, .to = args->fd },
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
