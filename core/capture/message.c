/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libc said before it called abort(): the text of a failed assertion, of a damaged heap, of a
 * smashed stack. glibc keeps it for debuggers under the private name __abort_msg, which is looked
 * up here as the dynamic linker would, in the memory of the process. Runs in the monitor and in the
 * clone of a crashed program; imports nothing. Every address is foreign: reads fail, nothing else.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#include <linux/elf.h>

#define LIBRARY       "libc.so.6"
#define SYMBOL        "__abort_msg"
#define TAG_GNU_HASH  0x6ffffef5
#define DYNAMIC_COUNT 64u
#define CHAIN_COUNT   64u /* hashes of one bucket, at most */
#define MESSAGE_BYTES 1024u

/* The start of the table that DT_GNU_HASH leads to; filter words, buckets and chains follow. */
struct hash_table {
    uint32_t buckets, first_symbol, filter_words, filter_shift;
};

struct tables {
    uint64_t hashes, symbols, strings;
};

static bool read_at(struct capture *capture, uint64_t address, void *buffer, size_t bytes)
{
    return capture_read(capture, address, buffer, bytes) == bytes;
}

static const struct capture_module *find_library(const struct capture *capture)
{
    for (size_t i = 0; i < capture->module_count; i++) {
        if (capture_equal(capture->modules[i].soname, LIBRARY)) {
            return &capture->modules[i];
        }
    }
    return NULL;
}

/* The dynamic linker writes addresses into the section where it may; else they are the file's. */
static uint64_t absolute(const struct capture_module *module, uint64_t address)
{
    return address < module->base ? address + module->base : address;
}

static bool read_tables(struct capture *capture, const struct capture_module *module,
                        struct tables *ret_tables)
{
    Elf64_Dyn entries[DYNAMIC_COUNT];
    size_t bytes = capture_read(capture, module->dynamic_address, entries, sizeof(entries));
    struct tables tables = { 0, 0, 0 };

    for (size_t i = 0; i < bytes / sizeof(entries[0]) && entries[i].d_tag != DT_NULL; i++) {
        uint64_t address = absolute(module, entries[i].d_un.d_ptr);

        switch (entries[i].d_tag) {
        case TAG_GNU_HASH:
            tables.hashes = address;
            break;
        case DT_SYMTAB:
            tables.symbols = address;
            break;
        case DT_STRTAB:
            tables.strings = address;
            break;
        default:
            break;
        }
    }
    *ret_tables = tables;
    return tables.hashes != 0 && tables.symbols != 0 && tables.strings != 0;
}

static uint32_t hash_of(const char *name)
{
    uint32_t hash = 5381;

    while (*name != '\0') {
        hash = hash * 33 + (unsigned char)*name++;
    }
    return hash;
}

/* Whether symbol number `index` is the one; then its value. */
static bool is_symbol(struct capture *capture, const struct tables *tables, uint32_t index,
                      uint64_t *ret_value)
{
    char name[sizeof(SYMBOL)];
    Elf64_Sym symbol;

    if (!read_at(capture, tables->symbols + (uint64_t)index * sizeof(symbol), &symbol,
                 sizeof(symbol)) ||
        symbol.st_shndx == SHN_UNDEF ||
        !read_at(capture, tables->strings + symbol.st_name, name, sizeof(name)) ||
        capture_compare(name, SYMBOL, sizeof(name)) != 0) {
        return false;
    }
    *ret_value = symbol.st_value;
    return true;
}

/* Each word of a bucket's chain is a symbol's hash, the lowest bit marking the last one. */
static bool find_symbol(struct capture *capture, const struct tables *tables, uint64_t *ret_value)
{
    uint32_t hash = hash_of(SYMBOL), index = 0, chain[CHAIN_COUNT];
    struct hash_table table;
    uint64_t buckets, chains;
    size_t count;

    if (!read_at(capture, tables->hashes, &table, sizeof(table)) || table.buckets == 0) {
        return false;
    }
    buckets = tables->hashes + sizeof(table) + (uint64_t)table.filter_words * sizeof(uint64_t);
    chains = buckets + (uint64_t)table.buckets * sizeof(uint32_t);
    if (!read_at(capture, buckets + (uint64_t)(hash % table.buckets) * sizeof(index), &index,
                 sizeof(index)) ||
        index < table.first_symbol) {
        return false;
    }
    count = capture_read(capture, chains + (uint64_t)(index - table.first_symbol) * sizeof(hash),
                         chain, sizeof(chain)) /
            sizeof(chain[0]);
    for (size_t i = 0; i < count; i++, index++) {
        if ((chain[i] | 1) == (hash | 1) && is_symbol(capture, tables, index, ret_value)) {
            return true;
        }
        if ((chain[i] & 1) != 0) {
            return false;
        }
    }
    return false;
}

/* At `address`: the size in bytes, 32 bits of it, and then the text. */
static void keep_text(struct capture *capture, uint64_t address)
{
    char text[MESSAGE_BYTES];
    size_t bytes = capture_read(capture, address + sizeof(uint32_t), text, sizeof(text) - 1);

    bytes = capture_length_within(text, bytes);
    while (bytes > 0 && text[bytes - 1] == '\n') {
        bytes--;
    }
    if (bytes > 0) {
        capture->message = arena_text(&capture->arena, text, bytes);
    }
}

static void read_libc(struct capture *capture)
{
    const struct capture_module *module = find_library(capture);
    uint64_t value = 0, address = 0;
    struct tables tables;

    if (module == NULL || module->dynamic_address == 0 || !read_tables(capture, module, &tables) ||
        !find_symbol(capture, &tables, &value) ||
        !read_at(capture, absolute(module, value), &address, sizeof(address)) || address == 0) {
        return;
    }
    keep_text(capture, address);
}

void message_read(struct capture *capture)
{
    if (capture->request.signal == SIGABRT) {
        read_libc(capture);
        if (capture->message == NULL && capture->crashed != SIZE_MAX) {
            exception_read(capture);
        }
    }
}
