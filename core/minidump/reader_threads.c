/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System, threads and exception of a dump. Engine, sender, tools.
 */
#include "core/minidump/reader_inner.h"

#include <stdlib.h>

#define THREAD_BYTES     48
#define NAME_ENTRY_BYTES 12
#define NAME_UNITS       256
#define EXCEPTION_BYTES  168
#define MISC_PROCESS_ID  1u

struct numbered {
    uint32_t number;
    const char *name;
};

static const char *name_of(const struct numbered *table, size_t count, uint32_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].number == number) {
            return table[i].name;
        }
    }
    return "unknown";
}

static const struct numbered cpus[] = {
    { 0, "x86" },          { 1, "mips" },         { 3, "ppc" },        { 5, "arm" },
    { 6, "ia64" },         { 9, "x86_64" },       { 10, "x86" },       { 12, "arm64" },
    { 0x8001, "sparc" },   { 0x8002, "ppc64" },   { 0x8003, "arm64" }, { 0x8004, "mips64" },
    { 0x8005, "riscv32" }, { 0x8006, "riscv64" },
};

static const struct numbered systems[] = {
    { 1, "Windows" },  { 2, "Windows" },    { 0x8000, "Unix" },    { 0x8101, "macOS" },
    { 0x8102, "iOS" }, { 0x8201, "Linux" }, { 0x8202, "Solaris" }, { 0x8203, "Android" },
    { 0x8204, "PS3" }, { 0x8205, "NaCl" },  { 0x8206, "Fuchsia" },
};

#define PLATFORM_LINUX   0x8201u
#define PLATFORM_ANDROID 0x8203u

void reader_read_system(struct minidump *dump)
{
    const void *data;
    const unsigned char *info;
    size_t bytes;
    uint32_t platform;

    dump->cpu_name = dump->system = "unknown";
    dump->system_version = "";
    if (minidump_stream(dump, MINIDUMP_STREAM_MISC_INFO, &data, &bytes) && bytes >= 12) {
        info = data;
        dump->process_id = reader_u32(info + 4) & MISC_PROCESS_ID ? reader_u32(info + 8) : 0;
    }
    if (!minidump_stream(dump, MINIDUMP_STREAM_SYSTEM_INFO, &data, &bytes) || bytes < 28) {
        return;
    }
    info = data;
    platform = reader_u32(info + 20);
    dump->cpu = reader_find_cpu(reader_u16(info));
    dump->cpu_name = name_of(cpus, sizeof(cpus) / sizeof(cpus[0]), reader_u16(info));
    dump->system = name_of(systems, sizeof(systems) / sizeof(systems[0]), platform);
    dump->system_version = reader_utf16(dump, reader_u32(info + 24), 1024);
    dump->dword_versions = (platform == PLATFORM_LINUX || platform == PLATFORM_ANDROID) &&
                           !minidump_stream(dump, MINIDUMP_STREAM_CAIRN, &data, &bytes);
}

static int compare_numbers(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

/* Sorted by id, and of equal ids the first in the file. */
static int compare_threads(const void *first, const void *second, void *user)
{
    const struct minidump *dump = user;
    uint32_t a = *(const uint32_t *)first, b = *(const uint32_t *)second;
    int order = compare_numbers(dump->threads[a].id, dump->threads[b].id);

    return order != 0 ? order : compare_numbers(a, b);
}

static struct minidump_thread *find_thread(const struct minidump *dump, uint32_t id)
{
    size_t low = 0, high = dump->thread_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (dump->threads[dump->threads_by_id[middle]].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == dump->thread_count || dump->threads[dump->threads_by_id[low]].id != id) {
        return NULL;
    }
    return &dump->threads[dump->threads_by_id[low]];
}

static void read_thread(const struct minidump *dump, const unsigned char *entry,
                        struct minidump_thread *thread)
{
    size_t bytes = reader_u32(entry + 32), block;

    thread->id = reader_u32(entry);
    thread->name = "";
    thread->stack_start = reader_u64(entry + 24);
    thread->stack_bytes = bytes;
    thread->context = reader_context(dump, entry + 40, &thread->context_bytes);
    reader_key_registers(dump, thread->context, &thread->instruction_pointer,
                         &thread->stack_pointer, &thread->frame_pointer);
    /* What a stack is said to have counts as far as the dump holds it. */
    if (!reader_find_block(dump, thread->stack_start, &block)) {
        thread->stack_bytes = 0;
        return;
    }
    const struct minidump_block *holder = &dump->blocks[block];
    uint64_t there = holder->bytes - (thread->stack_start - holder->start);

    if (thread->stack_bytes > there && reader_located(dump, entry + 32, 1, &bytes) == NULL) {
        thread->stack_bytes = there;
    }
}

static void read_names(struct minidump *dump)
{
    struct reader_list list;

    if (!reader_list(dump, MINIDUMP_STREAM_THREAD_NAMES, NAME_ENTRY_BYTES, READER_MAX_THREADS,
                     &list)) {
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        const unsigned char *entry = list.entries + i * NAME_ENTRY_BYTES;
        struct minidump_thread *thread = find_thread(dump, reader_u32(entry));

        if (thread != NULL && thread->name[0] == '\0') {
            thread->name = reader_utf16(dump, reader_u64(entry + 4), NAME_UNITS);
        }
    }
}

void reader_read_threads(struct minidump *dump)
{
    struct reader_list list;

    if (!reader_list(dump, MINIDUMP_STREAM_THREAD_LIST, THREAD_BYTES, READER_MAX_THREADS, &list) ||
        list.count == 0) {
        return;
    }
    dump->threads = calloc(list.count, sizeof(*dump->threads));
    dump->threads_by_id = calloc(list.count, sizeof(*dump->threads_by_id));
    if (dump->threads == NULL || dump->threads_by_id == NULL) {
        dump->no_memory = true;
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        read_thread(dump, list.entries + i * THREAD_BYTES, &dump->threads[i]);
        dump->threads_by_id[i] = (uint32_t)i;
    }
    dump->thread_count = list.count;
    qsort_r(dump->threads_by_id, list.count, sizeof(*dump->threads_by_id), compare_threads, dump);
    read_names(dump);
}

void reader_read_exception(struct minidump *dump)
{
    struct minidump_exception *exception = &dump->exception;
    const void *data;
    const unsigned char *stream;
    size_t bytes;

    if (!minidump_stream(dump, MINIDUMP_STREAM_EXCEPTION, &data, &bytes) ||
        bytes < EXCEPTION_BYTES) {
        return;
    }
    stream = data;
    exception->present = true;
    exception->thread_id = reader_u32(stream);
    exception->code = reader_u32(stream + 8);
    exception->flags = reader_u32(stream + 12);
    exception->address = reader_u64(stream + 24);
    exception->parameter_count = reader_u32(stream + 32);
    if (exception->parameter_count > MINIDUMP_EXCEPTION_PARAMETERS) {
        exception->parameter_count = MINIDUMP_EXCEPTION_PARAMETERS;
    }
    for (uint32_t i = 0; i < exception->parameter_count; i++) {
        exception->parameters[i] = reader_u64(stream + 40 + i * 8);
    }
    exception->context = reader_context(dump, stream + 160, &exception->context_bytes);
    reader_key_registers(dump, exception->context, &exception->instruction_pointer,
                         &exception->stack_pointer, &exception->frame_pointer);
}

size_t minidump_thread_count(const struct minidump *dump)
{
    return dump->thread_count;
}

const struct minidump_thread *minidump_thread_at(const struct minidump *dump, size_t index)
{
    return index < dump->thread_count ? &dump->threads[index] : NULL;
}

const struct minidump_thread *minidump_thread_by_id(const struct minidump *dump, uint32_t id)
{
    return find_thread(dump, id);
}

const struct minidump_exception *minidump_exception(const struct minidump *dump)
{
    return &dump->exception;
}
