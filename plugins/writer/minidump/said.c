/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what annotators have replaced; see said.h. Runs in a step of the engine. */
#include "plugins/writer/minidump/said.h"

#include <stdio.h>
#include <string.h>

#define MAX_CRUMBS 4096 /* a bound on every loop */
#define MAX_NAME   128  /* of an attribute */

struct said {
    const struct cairn_host *host;
    const struct cairn_report *report;
    const struct cairn_artifact_service *artifact;
    struct layout_bytes dump;
    struct holes *holes;
};

static int is_replaced(const struct said *said, const char *path)
{
    return said->artifact->replaced(said->host, said->report, path);
}

static int is_attribute_replaced(const struct said *said, const unsigned char *name, size_t bytes)
{
    char path[16 + MAX_NAME];

    if (bytes > MAX_NAME) {
        return 0; /* no attribute of the report can have that name */
    }
    snprintf(path, sizeof(path), "attributes.%.*s", (int)bytes, (const char *)name);
    return is_replaced(said, path);
}

static int is_annotation_replaced(const struct said *said, struct layout_bytes content)
{
    return content.count >= LAYOUT_ANNOTATION_BYTES &&
           layout_get32(content.data + 4) <= content.count - LAYOUT_ANNOTATION_BYTES &&
           is_attribute_replaced(said, content.data + LAYOUT_ANNOTATION_BYTES,
                                 layout_get32(content.data + 4));
}

/* Known by its time: what of two is which does not matter when one of them is replaced. */
static int is_breadcrumb_replaced(const struct said *said, struct layout_bytes content)
{
    struct cairn_breadcrumb crumb = { .size = sizeof(crumb) };
    char path[32];

    for (size_t i = 0; content.count >= 8 && i < MAX_CRUMBS &&
                       said->host->breadcrumb_at(said->host, said->report, i, &crumb);
         i++) {
        snprintf(path, sizeof(path), "breadcrumbs.%zu", i);
        if (crumb.time == layout_get64(content.data) && is_replaced(said, path)) {
            return 1;
        }
        crumb = (struct cairn_breadcrumb){ .size = sizeof(crumb) };
    }
    return 0;
}

/* Memory that the program registered as an attribute's text: the record stays, what it tells of is
 * zeros. */
static void find_region(const struct said *said, struct layout_bytes content)
{
    static const char prefix[] = "text:";
    const size_t skipped = sizeof(prefix) - 1;
    const unsigned char *name = content.data + LAYOUT_REGION_BYTES;
    size_t bytes;

    if (content.count < LAYOUT_REGION_BYTES) {
        return;
    }
    bytes = layout_get32(content.data + LAYOUT_REGION_NAME);
    if (bytes >= skipped && bytes <= content.count - LAYOUT_REGION_BYTES &&
        memcmp(name, prefix, skipped) == 0 &&
        is_attribute_replaced(said, name + skipped, bytes - skipped)) {
        reduce_add_memory(said->holes, said->dump, layout_get64(content.data),
                          layout_get64(content.data + 8));
    }
}

static int is_record_replaced(const struct said *said, uint32_t type, struct layout_bytes content)
{
    return type == LAYOUT_RECORD_ANNOTATION   ? is_annotation_replaced(said, content)
           : type == LAYOUT_RECORD_BREADCRUMB ? is_breadcrumb_replaced(said, content)
           : type == LAYOUT_RECORD_MESSAGE    ? is_replaced(said, "crash.message")
                                              : 0;
}

static void find_records(const struct said *said, struct layout_bytes stream)
{
    struct layout_bytes content;
    size_t place = 0;
    uint32_t type;

    while (layout_record(stream, &place, &type, &content)) {
        if (is_record_replaced(said, type, content)) {
            reduce_add_record(said->holes, (uint64_t)(content.data - said->dump.data),
                              content.count);
        } else if (type == LAYOUT_RECORD_REGION) {
            find_region(said, content);
        }
    }
}

/* A text of Crashpad's: its length, 32 bits, then its bytes. */
static struct layout_bytes text_at(const struct said *said, uint32_t offset)
{
    struct layout_bytes text = { said->dump.data, 0 };

    if (offset <= said->dump.count && said->dump.count - offset >= 4 &&
        layout_get32(said->dump.data + offset) <= said->dump.count - offset - 4) {
        text = (struct layout_bytes){ said->dump.data + offset + 4,
                                      layout_get32(said->dump.data + offset) };
    }
    return text;
}

static void find_pairs(const struct said *said, uint32_t offset, uint32_t bytes)
{
    struct layout_bytes pairs;

    if (offset > said->dump.count || bytes > said->dump.count - offset) {
        return;
    }
    pairs =
        layout_entries((struct layout_bytes){ said->dump.data + offset, bytes }, LAYOUT_PAIR_BYTES);
    for (size_t at = 0; at < pairs.count; at += LAYOUT_PAIR_BYTES) {
        struct layout_bytes name = text_at(said, layout_get32(pairs.data + at));
        struct layout_bytes value = text_at(said, layout_get32(pairs.data + at + 4));

        if (is_attribute_replaced(said, name.data, name.count)) {
            reduce_add(said->holes, (uint64_t)(value.data - said->dump.data), value.count);
        }
    }
}

static void find_stream(const struct said *said, const unsigned char *entry)
{
    uint32_t type = layout_get32(entry), bytes = layout_get32(entry + 4),
             offset = layout_get32(entry + 8);
    struct layout_bytes stream = { NULL, bytes };

    if (offset > said->dump.count || bytes > said->dump.count - offset) {
        return;
    }
    stream.data = said->dump.data + offset;
    if (type == LAYOUT_CAIRN) {
        find_records(said, stream);
    } else if (type == LAYOUT_CRASHPAD && bytes >= LAYOUT_CRASHPAD_PAIRS + 8) {
        find_pairs(said, layout_get32(stream.data + LAYOUT_CRASHPAD_PAIRS + 4),
                   layout_get32(stream.data + LAYOUT_CRASHPAD_PAIRS));
    }
}

/* A host that does not know what was replaced has replaced nothing. */
static int can_tell(const struct cairn_artifact_service *artifact)
{
    return artifact != NULL && artifact->size >= offsetof(struct cairn_artifact_service, replaced) +
                                                     sizeof(artifact->replaced);
}

int said_find(const struct cairn_host *host, const struct cairn_report *report,
              const unsigned char *dump, size_t bytes, struct holes *holes)
{
    const struct said said = {
        host, report, host->service(host, CAIRN_SERVICE_ARTIFACT), { dump, bytes }, holes
    };
    uint64_t directory, count;

    if (!can_tell(said.artifact) || layout_directory(said.dump, &directory, &count) != 0) {
        return 0;
    }
    for (uint64_t i = 0; i < count; i++) {
        find_stream(&said, dump + directory + i * LAYOUT_DIRECTORY_ENTRY_BYTES);
    }
    reduce_sort(holes);
    return holes->failed ? -1 : 0;
}
