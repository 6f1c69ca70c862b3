/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses what of a minidump's memory stays; see shrink.h. Runs in a step of the engine. */
#include "plugins/writer/minidump/shrink.h"

#include "plugins/writer/minidump/layout.h"

#include <stdlib.h>

#define SMALL_BYTES       4096u /* what lies around an instruction pointer is smaller */
#define OTHER_STACK_BYTES ((uint64_t)256 << 10)
#define LEAST_STACK_BYTES ((uint64_t)1 << 10)
#define GRAIN             16u /* pieces are cut to whole ones of these */

/* A stream's place: its entry in the directory, and its bytes; in the head, so of the copy, too. */
struct stream {
    uint64_t entry;
    uint64_t offset;
    struct layout_bytes content; /* of the old file */
};

struct plan {
    struct layout_bytes dump;
    struct stream threads, modules, exception, list, list64, own;
    struct shrink *shrink;
    size_t capacity;
    uint64_t budget;
};

/* ---- Reading the old file ---- */

static struct stream *stream_of(struct plan *plan, uint32_t type)
{
    switch (type) {
    case LAYOUT_THREAD_LIST:
        return &plan->threads;
    case LAYOUT_MODULE_LIST:
        return &plan->modules;
    case LAYOUT_EXCEPTION:
        return &plan->exception;
    case LAYOUT_MEMORY_LIST:
        return &plan->list;
    case LAYOUT_MEMORY64_LIST:
        return &plan->list64;
    case LAYOUT_CAIRN:
        return &plan->own;
    default:
        return NULL;
    }
}

/* Where the last stream ends goes to `ret_end`. */
static int find_streams(struct plan *plan, uint64_t *ret_end)
{
    uint64_t directory, count, end;

    if (layout_directory(plan->dump, &directory, &count) != 0) {
        return SHRINK_IMPOSSIBLE;
    }
    end = directory + count * LAYOUT_DIRECTORY_ENTRY_BYTES;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t entry = directory + i * LAYOUT_DIRECTORY_ENTRY_BYTES;
        uint64_t bytes = layout_get32(plan->dump.data + entry + 4);
        uint64_t offset = layout_get32(plan->dump.data + entry + 8);
        struct stream *stream = stream_of(plan, layout_get32(plan->dump.data + entry));

        if (offset > plan->dump.count || bytes > plan->dump.count - offset) {
            return SHRINK_IMPOSSIBLE;
        }
        if (stream != NULL) {
            *stream = (struct stream){ entry, offset, { plan->dump.data + offset, bytes } };
        }
        end = offset + bytes > end ? offset + bytes : end;
    }
    *ret_end = end;
    return 0;
}

static int add_piece(struct plan *plan, uint64_t address, uint64_t bytes, uint64_t offset)
{
    struct shrink *shrink = plan->shrink;

    if (offset > plan->dump.count || bytes > plan->dump.count - offset) {
        return SHRINK_IMPOSSIBLE;
    }
    if (bytes == 0) {
        return 0;
    }
    if (shrink->count == plan->capacity) {
        size_t capacity = plan->capacity != 0 ? plan->capacity * 2 : 64;
        struct shrink_piece *pieces = reallocarray(shrink->pieces, capacity, sizeof(*pieces));

        if (pieces == NULL) {
            return SHRINK_NO_MEMORY;
        }
        shrink->pieces = pieces;
        plan->capacity = capacity;
    }
    shrink->pieces[shrink->count++] =
        (struct shrink_piece){ .offset = offset, .bytes = bytes, .address = address };
    return 0;
}

static int take_list(struct plan *plan)
{
    const struct layout_bytes entries = layout_entries(plan->list.content, LAYOUT_DESCRIPTOR_BYTES);
    int result = 0;

    for (size_t at = 0; at < entries.count && result == 0; at += LAYOUT_DESCRIPTOR_BYTES) {
        const unsigned char *entry = entries.data + at;

        result =
            add_piece(plan, layout_get64(entry), layout_get32(entry + 8), layout_get32(entry + 12));
    }
    return result;
}

/* How many entries the 64-bit list has, at most as many as fit. */
static uint64_t count64(const struct plan *plan)
{
    size_t bytes = plan->list64.content.count;
    uint64_t count = bytes >= 16 ? layout_get64(plan->list64.content.data) : 0;

    return bytes < 16 ? 0
           : count < (bytes - 16) / LAYOUT_DESCRIPTOR64_BYTES
               ? count
               : (bytes - 16) / LAYOUT_DESCRIPTOR64_BYTES;
}

static int take_list64(struct plan *plan)
{
    const unsigned char *data = plan->list64.content.data;
    uint64_t count = count64(plan), offset = count > 0 ? layout_get64(data + 8) : 0;
    int result = 0;

    for (uint64_t i = 0; i < count && result == 0; i++) {
        const unsigned char *entry = data + 16 + i * LAYOUT_DESCRIPTOR64_BYTES;
        uint64_t bytes = layout_get64(entry + 8);

        result = add_piece(plan, layout_get64(entry), bytes, offset);
        offset += bytes; /* within the file, or refused */
    }
    return result;
}

static int compare_pieces(const void *left_, const void *right_)
{
    const struct shrink_piece *left = left_, *right = right_;

    return (left->offset > right->offset) - (left->offset < right->offset);
}

static struct shrink_piece *piece_at(const struct shrink *shrink, uint64_t offset)
{
    size_t low = 0, high = shrink->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct shrink_piece *piece = &shrink->pieces[middle];

        if (offset < piece->offset) {
            high = middle;
        } else if (offset - piece->offset >= piece->bytes) {
            low = middle + 1;
        } else {
            return piece;
        }
    }
    return NULL;
}

/* Nothing but memory may lie behind the first piece: no offset in the head is corrected but those
 * of memory. */
static int is_in_head(const struct plan *plan, const struct stream *stream, size_t entry_bytes,
                      size_t member)
{
    const struct layout_bytes entries = layout_entries(stream->content, entry_bytes);

    for (size_t at = 0; at < entries.count; at += entry_bytes) {
        if (layout_get32(entries.data + at + member) >= plan->shrink->head_bytes) {
            return 0;
        }
    }
    return 1;
}

static int check_layout(struct plan *plan, uint64_t streams_end)
{
    struct shrink *shrink = plan->shrink;

    if (shrink->count == 0) {
        return SHRINK_NO_ROOM; /* no memory to leave out */
    }
    qsort(shrink->pieces, shrink->count, sizeof(*shrink->pieces), compare_pieces);
    for (size_t i = 1; i < shrink->count; i++) {
        if (shrink->pieces[i].offset - shrink->pieces[i - 1].offset < shrink->pieces[i - 1].bytes) {
            return SHRINK_IMPOSSIBLE;
        }
    }
    shrink->head_bytes = shrink->pieces[0].offset;
    return streams_end <= shrink->head_bytes &&
                   is_in_head(plan, &plan->threads, LAYOUT_THREAD_BYTES, LAYOUT_THREAD_CONTEXT) &&
                   is_in_head(plan, &plan->modules, LAYOUT_MODULE_BYTES, LAYOUT_MODULE_NAME)
               ? 0
               : SHRINK_IMPOSSIBLE;
}

/* ---- Choosing ---- */

/* What a piece keeps stays in one part: it grows at both ends as far as the budget goes. */
static void want(struct plan *plan, struct shrink_piece *piece, uint64_t from, uint64_t to)
{
    uint64_t more;

    if (piece->from == piece->to) {
        piece->from = piece->to = from;
    }
    if (from < piece->from) {
        more = piece->from - from;
        more = more <= plan->budget ? more : plan->budget - plan->budget % GRAIN;
        piece->from -= more;
        plan->budget -= more;
    }
    if (to > piece->to) {
        more = to - piece->to;
        more = more <= plan->budget ? more : plan->budget - plan->budget % GRAIN;
        piece->to += more;
        plan->budget -= more;
    }
}

/* `bytes` of memory at `offset` of the old file, at most `cap` of them. */
static void want_range(struct plan *plan, uint64_t offset, uint64_t bytes, uint64_t cap)
{
    struct shrink_piece *piece = piece_at(plan->shrink, offset);
    uint64_t into, most;

    if (piece == NULL || bytes == 0) {
        return;
    }
    into = offset - piece->offset;
    most = piece->bytes - into;
    most = most < bytes ? most : bytes;
    want(plan, piece, into, into + (most < cap ? most : cap));
}

static uint32_t crashed_thread(const struct plan *plan)
{
    return plan->exception.content.count >= 4 ? layout_get32(plan->exception.content.data) : 0;
}

/* The stacks of the crashed thread, or of the others; the sum of what is wanted. Without a plan to
 * change, that is only counted. */
static uint64_t want_stacks(struct plan *plan, int crashed, uint64_t cap, int count_only)
{
    const struct layout_bytes threads = layout_entries(plan->threads.content, LAYOUT_THREAD_BYTES);
    uint64_t sum = 0;

    for (size_t at = 0; at < threads.count; at += LAYOUT_THREAD_BYTES) {
        const unsigned char *thread = threads.data + at, *stack = thread + LAYOUT_THREAD_STACK;
        uint64_t bytes = layout_get32(stack + 8);

        if ((layout_get32(thread) == crashed_thread(plan)) != crashed) {
            continue;
        }
        sum += bytes < cap ? bytes : cap;
        if (!count_only) {
            want_range(plan, layout_get32(stack + 12), bytes, cap);
        }
    }
    return sum;
}

static void want_small(struct plan *plan)
{
    for (size_t i = 0; i < plan->shrink->count; i++) {
        struct shrink_piece *piece = &plan->shrink->pieces[i];

        if (piece->bytes <= SMALL_BYTES) {
            want(plan, piece, 0, piece->bytes);
        }
    }
}

static void want_region(struct plan *plan, uint64_t start, uint64_t bytes)
{
    for (size_t i = 0; i < plan->shrink->count; i++) {
        struct shrink_piece *piece = &plan->shrink->pieces[i];

        if (start - piece->address < piece->bytes) {
            want_range(plan, piece->offset + (start - piece->address), bytes, bytes);
        }
    }
}

static void want_regions(struct plan *plan)
{
    struct layout_bytes content;
    size_t place = 0;
    uint32_t type;

    while (layout_record(plan->own.content, &place, &type, &content)) {
        if (type == LAYOUT_RECORD_REGION && content.count >= 16) {
            want_region(plan, layout_get64(content.data), layout_get64(content.data + 8));
        }
    }
}

static void choose(struct plan *plan)
{
    uint64_t cap = OTHER_STACK_BYTES;

    want_stacks(plan, 1, plan->budget / 2, 0);
    want_small(plan);
    want_regions(plan);
    while (cap > LEAST_STACK_BYTES && want_stacks(plan, 0, cap, 1) > plan->budget) {
        cap /= 2;
    }
    want_stacks(plan, 0, cap, 0);
    want_stacks(plan, 1, UINT64_MAX, 0);
    for (size_t i = 0; i < plan->shrink->count; i++) {
        want(plan, &plan->shrink->pieces[i], 0, plan->shrink->pieces[i].bytes);
    }
}

static void place_pieces(struct shrink *shrink)
{
    shrink->bytes = shrink->head_bytes;
    for (size_t i = 0; i < shrink->count; i++) {
        struct shrink_piece *piece = &shrink->pieces[i];

        piece->place = shrink->bytes;
        shrink->bytes += piece->to - piece->from;
        shrink->lost += piece->bytes - (piece->to - piece->from);
    }
}

/* ---- Correcting the head ---- */

static void put32(unsigned char *to, uint64_t value)
{
    uint32_t narrow = (uint32_t)value;

    memcpy(to, &narrow, sizeof(narrow));
}

static void put64(unsigned char *to, uint64_t value)
{
    memcpy(to, &value, sizeof(value));
}

/* A descriptor with 32-bit offsets, in the copy; whether anything is left of it. */
static int correct(const struct shrink *shrink, unsigned char *descriptor)
{
    uint64_t offset = layout_get32(descriptor + 12), bytes = layout_get32(descriptor + 8);
    const struct shrink_piece *piece = bytes != 0 ? piece_at(shrink, offset) : NULL;
    uint64_t start, end, kept_start, kept_end;

    put32(descriptor + 8, 0);
    put32(descriptor + 12, 0);
    if (piece == NULL) {
        return 0;
    }
    kept_start = piece->offset + piece->from;
    kept_end = piece->offset + piece->to;
    start = offset > kept_start ? offset : kept_start;
    end = offset + bytes < kept_end ? offset + bytes : kept_end;
    if (start >= end) {
        return 0;
    }
    put64(descriptor, layout_get64(descriptor) + (start - offset));
    put32(descriptor + 8, end - start);
    put32(descriptor + 12, piece->place + (start - kept_start));
    return 1;
}

/* Where the entries of a stream lie in the copy; of one that is absent there are none. */
static unsigned char *copy_of(const struct plan *plan, const struct stream *stream,
                              struct layout_bytes entries)
{
    return plan->shrink->head + stream->offset +
           (entries.count > 0 ? entries.data - stream->content.data : 0);
}

static void correct_threads(const struct plan *plan)
{
    const struct layout_bytes threads = layout_entries(plan->threads.content, LAYOUT_THREAD_BYTES);
    unsigned char *copy = copy_of(plan, &plan->threads, threads);

    for (size_t at = 0; at < threads.count; at += LAYOUT_THREAD_BYTES) {
        correct(plan->shrink, copy + at + LAYOUT_THREAD_STACK);
    }
}

/* Readers refuse an entry without bytes, and a stream with bytes behind its entries. */
static void correct_list(const struct plan *plan)
{
    const struct layout_bytes entries = layout_entries(plan->list.content, LAYOUT_DESCRIPTOR_BYTES);
    unsigned char *head = plan->shrink->head;
    unsigned char *copy = copy_of(plan, &plan->list, entries), *to = copy;

    if (plan->list.content.count < 4) {
        return;
    }
    for (size_t at = 0; at < entries.count; at += LAYOUT_DESCRIPTOR_BYTES) {
        if (correct(plan->shrink, copy + at)) {
            memmove(to, copy + at, LAYOUT_DESCRIPTOR_BYTES);
            to += LAYOUT_DESCRIPTOR_BYTES;
        }
    }
    put32(head + plan->list.offset, (uint64_t)(to - copy) / LAYOUT_DESCRIPTOR_BYTES);
    put32(head + plan->list.entry + 4,
          (uint64_t)(entries.data - plan->list.content.data) + (uint64_t)(to - copy));
    memset(to, 0, entries.count - (size_t)(to - copy));
}

static void correct_list64(const struct plan *plan)
{
    const struct shrink *shrink = plan->shrink;
    uint64_t count = count64(plan), kept = 0, offset;
    unsigned char *stream = shrink->head + plan->list64.offset;

    if (count == 0) {
        return;
    }
    offset = layout_get64(stream + 8);
    for (uint64_t i = 0; i < count; i++) {
        unsigned char *entry = stream + 16 + i * LAYOUT_DESCRIPTOR64_BYTES;
        uint64_t address = layout_get64(entry), bytes = layout_get64(entry + 8);
        const struct shrink_piece *piece = bytes != 0 ? piece_at(shrink, offset) : NULL;

        offset += bytes;
        memset(entry, 0, LAYOUT_DESCRIPTOR64_BYTES);
        if (piece != NULL && piece->from < piece->to) {
            put64(stream + 16 + kept * LAYOUT_DESCRIPTOR64_BYTES, address + piece->from);
            put64(stream + 24 + kept * LAYOUT_DESCRIPTOR64_BYTES, piece->to - piece->from);
            kept++;
        }
    }
    put64(stream, kept);
    put64(stream + 8, shrink->head_bytes);
    put32(shrink->head + plan->list64.entry + 4, 16 + kept * LAYOUT_DESCRIPTOR64_BYTES);
}

static int make_head(const struct plan *plan)
{
    struct shrink *shrink = plan->shrink;

    shrink->head = malloc(shrink->head_bytes);
    if (shrink->head == NULL) {
        return SHRINK_NO_MEMORY;
    }
    memcpy(shrink->head, plan->dump.data, shrink->head_bytes);
    correct_threads(plan);
    correct_list(plan);
    correct_list64(plan);
    return 0;
}

/* ---- All of it ---- */

static int make_plan(struct plan *plan, uint64_t room)
{
    uint64_t streams_end = 0;
    int result = find_streams(plan, &streams_end);

    if (result == 0) {
        result = count64(plan) > 0 ? take_list64(plan) : take_list(plan);
    }
    if (result == 0) {
        result = check_layout(plan, streams_end);
    }
    if (result == 0 && plan->shrink->head_bytes > room) {
        result = SHRINK_NO_ROOM;
    }
    if (result == 0) {
        plan->budget = room - plan->shrink->head_bytes;
        choose(plan);
        place_pieces(plan->shrink);
        result = make_head(plan);
    }
    return result;
}

enum shrink_result shrink_init(struct shrink *shrink, const unsigned char *dump, size_t bytes,
                               uint64_t room)
{
    struct plan plan = { .dump = { dump, bytes }, .shrink = shrink };
    int result;

    *shrink = (struct shrink){ .head = NULL };
    result = make_plan(&plan, room);
    if (result != 0) {
        shrink_finish(shrink);
    }
    return (enum shrink_result)result;
}

void shrink_finish(struct shrink *shrink)
{
    free(shrink->head);
    free(shrink->pieces);
    *shrink = (struct shrink){ .head = NULL };
}
