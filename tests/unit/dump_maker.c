/* SPDX-License-Identifier: Apache-2.0 */
/* See dump_maker.h. */
#include "tests/unit/dump_maker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void put16(unsigned char *at, uint16_t value)
{
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
}

void put32(unsigned char *at, uint32_t value)
{
    put16(at, (uint16_t)value);
    put16(at + 2, (uint16_t)(value >> 16));
}

void put64(unsigned char *at, uint64_t value)
{
    put32(at, (uint32_t)value);
    put32(at + 4, (uint32_t)(value >> 32));
}

void maker_begin(struct maker *maker, uint32_t time)
{
    memset(maker, 0, sizeof(*maker));
    put32(maker->data, MINIDUMP_SIGNATURE);
    put32(maker->data + 4, MINIDUMP_VERSION);
    put32(maker->data + 20, time);
    maker->bytes = 32;
}

uint32_t maker_add(struct maker *maker, const void *data, size_t bytes)
{
    size_t offset = (maker->bytes + 3) & ~(size_t)3;

    if (bytes > sizeof(maker->data) - offset) {
        abort();
    }
    if (bytes > 0) {
        memcpy(maker->data + offset, data, bytes);
    }
    maker->bytes = offset + bytes;
    return (uint32_t)offset;
}

uint32_t maker_utf16(struct maker *maker, const char *ascii)
{
    unsigned char string[1024];
    size_t length = strlen(ascii);

    put32(string, (uint32_t)length * 2);
    for (size_t i = 0; i <= length; i++) {
        put16(string + 4 + i * 2, (unsigned char)ascii[i]);
    }
    return maker_add(maker, string, 4 + (length + 1) * 2);
}

uint32_t maker_utf8(struct maker *maker, const char *text)
{
    unsigned char string[1024];
    size_t length = strlen(text);

    put32(string, (uint32_t)length);
    memcpy(string + 4, text, length + 1);
    return maker_add(maker, string, 4 + length + 1);
}

void maker_stream(struct maker *maker, uint32_t type, const void *data, size_t bytes)
{
    if (maker->stream_count == MAKER_STREAMS) {
        abort();
    }
    maker->types[maker->stream_count] = type;
    maker->sizes[maker->stream_count] = (uint32_t)bytes;
    maker->offsets[maker->stream_count] = maker_add(maker, data, bytes);
    maker->stream_count++;
}

void maker_record(struct maker *maker, uint32_t type, const void *head, size_t head_bytes,
                  const char *first, const char *second)
{
    unsigned char *at = maker->records + maker->record_bytes;
    size_t first_bytes = strlen(first), second_bytes = strlen(second);
    size_t bytes = head_bytes + first_bytes + second_bytes;

    put32(at, type);
    put32(at + 4, (uint32_t)bytes);
    if (head_bytes > 0) {
        memcpy(at + 8, head, head_bytes);
    }
    memcpy(at + 8 + head_bytes, first, first_bytes);
    memcpy(at + 8 + head_bytes + first_bytes, second, second_bytes);
    maker->record_bytes += 8 + ((bytes + 3) & ~(size_t)3);
}

void maker_end(struct maker *maker)
{
    unsigned char directory[MAKER_STREAMS * 12];

    if (maker->record_bytes > 0) {
        maker_stream(maker, MINIDUMP_STREAM_CAIRN, maker->records, maker->record_bytes);
    }
    for (size_t i = 0; i < maker->stream_count; i++) {
        put32(directory + i * 12, maker->types[i]);
        put32(directory + i * 12 + 4, maker->sizes[i]);
        put32(directory + i * 12 + 8, maker->offsets[i]);
    }
    put32(maker->data + 8, (uint32_t)maker->stream_count);
    put32(maker->data + 12, maker_add(maker, directory, maker->stream_count * 12));
}

int maker_file(const struct maker *maker, size_t bytes)
{
    int fd = memfd_create("dump", MFD_CLOEXEC);

    if (fd < 0 || write(fd, maker->data, bytes) != (ssize_t)bytes) {
        abort();
    }
    return fd;
}

void maker_system(struct maker *maker, uint16_t cpu, uint32_t platform, const char *version)
{
    unsigned char info[56] = { 0 };

    put16(info, cpu);
    put32(info + 20, platform);
    put32(info + 24, maker_utf16(maker, version));
    maker_stream(maker, MINIDUMP_STREAM_SYSTEM_INFO, info, sizeof(info));
}

void maker_exception(struct maker *maker, uint32_t tid, uint32_t code, uint32_t flags,
                     uint64_t address, uint32_t context_bytes, uint32_t context_offset)
{
    unsigned char stream[168] = { 0 };

    put32(stream, tid);
    put32(stream + 8, code);
    put32(stream + 12, flags);
    put64(stream + 24, address);
    put32(stream + 160, context_bytes);
    put32(stream + 164, context_offset);
    maker_stream(maker, MINIDUMP_STREAM_EXCEPTION, stream, sizeof(stream));
}

void maker_thread(unsigned char entry[48], uint32_t tid, uint64_t stack, uint32_t stack_bytes,
                  uint32_t stack_offset, uint32_t context_bytes, uint32_t context_offset)
{
    memset(entry, 0, 48);
    put32(entry, tid);
    put64(entry + 24, stack);
    put32(entry + 32, stack_bytes);
    put32(entry + 36, stack_offset);
    put32(entry + 40, context_bytes);
    put32(entry + 44, context_offset);
}

void maker_module(unsigned char entry[108], uint64_t base, uint32_t bytes, uint32_t name_offset,
                  uint32_t codeview_bytes, uint32_t codeview_offset)
{
    memset(entry, 0, 108);
    put64(entry, base);
    put32(entry + 8, bytes);
    put32(entry + 20, name_offset);
    put32(entry + 76, codeview_bytes);
    put32(entry + 80, codeview_offset);
}

uint32_t maker_context(struct maker *maker, uint64_t ip, uint64_t sp, uint64_t fp)
{
    unsigned char context[1232] = { 0 };

    put32(context + 48, 0x10000f);
    put64(context + 120, 0x1111);
    put64(context + 152, sp);
    put64(context + 160, fp);
    put64(context + 248, ip);
    return maker_add(maker, context, sizeof(context));
}

static void add_records(struct maker *maker)
{
    struct minidump_record_info info = { 1, 1, MINIDUMP_KIND_CRASH, 100, 1764100000123456789u };
    struct minidump_record_annotation text = { 1, 4, 0, 8, 0 };
    struct minidump_record_annotation number = { 2, 5, (uint64_t)-7, 0, 0 };
    struct minidump_record_breadcrumb crumb = { 1764100000000000000u, 3, 5 };
    struct minidump_record_parked parked = { 102, 8 };
    struct minidump_record_timing timing = { 1500, 7, 0 };
    struct minidump_record_file status = { 6, 38 }, exe = { 3, 13 };

    maker_record(maker, MINIDUMP_RECORD_INFO, &info, sizeof(info), "", "");
    maker_record(maker, MINIDUMP_RECORD_ID, NULL, 0, "0193c1de-0000-7000-8000-000000000001", "");
    maker_record(maker, MINIDUMP_RECORD_APPLICATION, NULL, 0, "shop", "");
    maker_record(maker, MINIDUMP_RECORD_VERSION, NULL, 0, "1.2.3", "");
    maker_record(maker, MINIDUMP_RECORD_ANNOTATION, &text, sizeof(text), "team", "payments");
    maker_record(maker, MINIDUMP_RECORD_ANNOTATION, &number, sizeof(number), "level", "");
    maker_record(maker, MINIDUMP_RECORD_BREADCRUMB, &crumb, sizeof(crumb), "net", "hello");
    maker_record(maker, MINIDUMP_RECORD_ATTACHMENT, NULL, 0, "/var/log/shop.log", "");
    maker_record(maker, MINIDUMP_RECORD_NOTE, NULL, 0, "The auxiliary vector is missing.", "");
    maker_record(maker, MINIDUMP_RECORD_PARKED, &parked, sizeof(parked), "", "");
    maker_record(maker, MINIDUMP_RECORD_TIMING, &timing, sizeof(timing), "stopped", "");
    maker_record(maker, MINIDUMP_RECORD_PROCESS_FILE, &status, sizeof(status), "status",
                 "Name:\tshop\nTgid:\t100\nUid:\t4000000001\t0\n");
    maker_record(maker, MINIDUMP_RECORD_PROCESS_FILE, &exe, sizeof(exe), "exe", "/opt/shop/bin");
}

static void add_threads(struct maker *maker)
{
    unsigned char list[4 + 2 * 48], names[4 + 2 * 12], stack[256], blocks[4 + 2 * 16];
    uint32_t first, second, memory, more;

    for (size_t i = 0; i < sizeof(stack); i++) {
        stack[i] = (unsigned char)i;
    }
    first = maker_context(maker, 0x500010, 0x7000, 0x7010);
    second = maker_context(maker, 0x401234, 0x7ff000, 0x7ff020);
    memory = maker_add(maker, stack, sizeof(stack));
    more = maker_add(maker, "adjacent", 8);
    put32(list, 2);
    maker_thread(list + 4, 100, 0x7000, 64, memory, 1232, first);
    maker_thread(list + 52, 101, 0x7ff000, 256, memory, 1232, second);
    maker_stream(maker, MINIDUMP_STREAM_THREAD_LIST, list, sizeof(list));
    put32(names, 2);
    put32(names + 4, 100);
    put64(names + 8, maker_utf16(maker, "main"));
    put32(names + 16, 101);
    put64(names + 20, maker_utf16(maker, "worker"));
    maker_stream(maker, MINIDUMP_STREAM_THREAD_NAMES, names, sizeof(names));
    put32(blocks, 2);
    put64(blocks + 4, 0x7ff100);
    put32(blocks + 12, 8);
    put32(blocks + 16, more);
    put64(blocks + 20, 0x7ff000);
    put32(blocks + 28, 256);
    put32(blocks + 32, memory);
    maker_stream(maker, MINIDUMP_STREAM_MEMORY_LIST, blocks, sizeof(blocks));
    maker_exception(maker, 101, 11, 1, 0x10, 1232, second);
}

static void add_modules(struct maker *maker)
{
    unsigned char list[4 + 3 * 108];
    unsigned char elf[4 + 20] = "LEpB", pdb[4 + 16 + 4 + 2] = "RSDS";

    for (unsigned char i = 0; i < 20; i++) {
        elf[4 + i] = (unsigned char)(0xa0 + i);
    }
    for (unsigned char i = 0; i < 16; i++) {
        pdb[4 + i] = i;
    }
    put32(list, 3);
    maker_module(list + 4, 0x400000, 0x10000, maker_utf16(maker, "/opt/shop/bin"), sizeof(elf),
                 maker_add(maker, elf, sizeof(elf)));
    maker_module(list + 112, 0x500000, 0x1000, maker_utf16(maker, "/lib/libc.so.6"), sizeof(pdb),
                 maker_add(maker, pdb, sizeof(pdb)));
    maker_module(list + 220, 0x600000, 0x1000, maker_utf16(maker, "/lib/libz.so.1.2.13"), 0, 0);
    put32(list + 220 + 24, 0xfeef04bdu);
    put32(list + 220 + 32, 1u << 16 | 2);
    put32(list + 220 + 36, 13u << 16);
    maker_stream(maker, MINIDUMP_STREAM_MODULE_LIST, list, sizeof(list));
}

void maker_cairn_dump(struct maker *maker)
{
    maker_begin(maker, 1764100000);
    maker_system(maker, 9, 0x8201, "Linux 6.1.0");
    add_threads(maker);
    add_modules(maker);
    add_records(maker);
    maker_end(maker);
}
