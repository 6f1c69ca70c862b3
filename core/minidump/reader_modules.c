/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules of a dump: where they lay, and what identifies their build. Engine, sender, tools.
 */
#include "core/minidump/reader_inner.h"

#include <stdio.h>
#include <stdlib.h>

#define MODULE_BYTES      108
#define PATH_UNITS        4096
#define BUILD_ID_BYTES    64
#define CODEVIEW_ELF      0x4270454cu /* "LEpB": a GNU build id follows */
#define CODEVIEW_PDB      0x53445352u /* "RSDS": a GUID, an age and a name follow */
#define VERSION_SIGNATURE 0xfeef04bdu
#define NESTED            16 /* modules that may lie within another: looked at before giving up */

static const char *hexadecimal(struct minidump *dump, const unsigned char *data, size_t bytes)
{
    char *text = reader_allocate(dump, bytes * 2 + 1);

    if (text == NULL) {
        return "";
    }
    for (size_t i = 0; i < bytes; i++) {
        snprintf(text + i * 2, 3, "%02x", data[i]);
    }
    text[bytes * 2] = '\0';
    return text;
}

/* A GUID is written as its first three numbers read, not as its bytes lie. */
static const char *guid(struct minidump *dump, const unsigned char *data)
{
    unsigned char bytes[16];
    static const unsigned char order[8] = { 3, 2, 1, 0, 5, 4, 7, 6 };

    for (size_t i = 0; i < 8; i++) {
        bytes[i] = data[order[i]];
    }
    memcpy(bytes + 8, data + 8, 8);
    return hexadecimal(dump, bytes, sizeof(bytes));
}

static const char *read_build_id(struct minidump *dump, const unsigned char *descriptor)
{
    size_t bytes;
    const unsigned char *record = reader_located(dump, descriptor, 5, &bytes);

    if (record == NULL) {
        return "";
    }
    if (reader_u32(record) == CODEVIEW_ELF) {
        bytes -= 4;
        return hexadecimal(dump, record + 4, bytes < BUILD_ID_BYTES ? bytes : BUILD_ID_BYTES);
    }
    if (reader_u32(record) == CODEVIEW_PDB && bytes >= 20) {
        return guid(dump, record + 4);
    }
    return "";
}

/* VS_FIXEDFILEINFO packs four 16-bit numbers into its first two members. minidump-writer, on Linux,
 * keeps the numbers of a SONAME in four 32-bit members instead; Crashpad and Cairn do not. */
static const char *read_version(struct minidump *dump, const unsigned char *info)
{
    uint32_t high = reader_u32(info + 8), low = reader_u32(info + 12);
    uint32_t parts[4] = { high, low, reader_u32(info + 16), reader_u32(info + 20) };
    char text[48];
    int length;

    if (reader_u32(info) != VERSION_SIGNATURE) {
        return "";
    }
    if (!dump->dword_versions || high > 0xffff || low > 0xffff) {
        parts[0] = high >> 16;
        parts[1] = high & 0xffff;
        parts[2] = low >> 16;
        parts[3] = low & 0xffff;
    }
    if ((parts[0] | parts[1] | parts[2] | parts[3]) == 0) {
        return "";
    }
    length = snprintf(text, sizeof(text), "%u.%u.%u.%u", parts[0], parts[1], parts[2], parts[3]);
    return reader_copy(dump, text, (size_t)length);
}

static int compare_modules(const void *first, const void *second, void *user)
{
    const struct minidump *dump = user;
    uint32_t a = *(const uint32_t *)first, b = *(const uint32_t *)second;

    if (dump->modules[a].base != dump->modules[b].base) {
        return dump->modules[a].base < dump->modules[b].base ? -1 : 1;
    }
    return a > b ? -1 : a < b; /* the first in the file comes last: a search meets it first */
}

void reader_read_modules(struct minidump *dump)
{
    struct reader_list list;

    if (!reader_list(dump, MINIDUMP_STREAM_MODULE_LIST, MODULE_BYTES, READER_MAX_MODULES, &list) ||
        list.count == 0) {
        return;
    }
    dump->modules = calloc(list.count, sizeof(*dump->modules));
    dump->modules_by_base = calloc(list.count, sizeof(*dump->modules_by_base));
    if (dump->modules == NULL || dump->modules_by_base == NULL) {
        dump->no_memory = true;
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        const unsigned char *entry = list.entries + i * MODULE_BYTES;
        struct minidump_module *module = &dump->modules[i];

        module->base = reader_u64(entry);
        module->bytes = reader_u32(entry + 8);
        if (module->base > UINT64_MAX - module->bytes) {
            module->bytes = 0;
        }
        module->path = reader_utf16(dump, reader_u32(entry + 20), PATH_UNITS);
        module->version = read_version(dump, entry + 24);
        module->build_id = read_build_id(dump, entry + 76);
        dump->modules_by_base[i] = (uint32_t)i;
    }
    dump->module_count = list.count;
    qsort_r(dump->modules_by_base, list.count, sizeof(*dump->modules_by_base), compare_modules,
            dump);
}

size_t minidump_module_count(const struct minidump *dump)
{
    return dump->module_count;
}

const struct minidump_module *minidump_module_at(const struct minidump *dump, size_t index)
{
    return index < dump->module_count ? &dump->modules[index] : NULL;
}

const struct minidump_module *minidump_module_of(const struct minidump *dump, uint64_t address)
{
    size_t low = 0, high = dump->module_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (dump->modules[dump->modules_by_base[middle]].base <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (size_t back = 1; back <= low && back <= NESTED; back++) {
        const struct minidump_module *module = &dump->modules[dump->modules_by_base[low - back]];

        if (address - module->base < module->bytes) {
            return module;
        }
    }
    return NULL;
}
