/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes minidumps byte by byte for the tests of their reader: valid ones as each reporter writes
 * them, and through maker_patch() wrong ones. Independent of Cairn's writer on purpose.
 */
#ifndef CAIRN_TESTS_UNIT_DUMP_MAKER_H
#define CAIRN_TESTS_UNIT_DUMP_MAKER_H

#include "core/minidump/format.h"

#include <stddef.h>
#include <stdint.h>

#define MAKER_BYTES   (128u * 1024)
#define MAKER_STREAMS 32

struct maker {
    unsigned char data[MAKER_BYTES];
    size_t bytes;
    uint32_t types[MAKER_STREAMS];
    uint32_t offsets[MAKER_STREAMS], sizes[MAKER_STREAMS];
    size_t stream_count;
    unsigned char records[16 * 1024]; /* Cairn's own stream, being collected */
    size_t record_bytes;
};

void maker_begin(struct maker *maker, uint32_t time);
/* Appends bytes, aligned to 4; returns where they are. */
uint32_t maker_add(struct maker *maker, const void *data, size_t bytes);
uint32_t maker_utf16(struct maker *maker, const char *ascii);
uint32_t maker_utf8(struct maker *maker, const char *text);
void maker_stream(struct maker *maker, uint32_t type, const void *data, size_t bytes);
void maker_record(struct maker *maker, uint32_t type, const void *head, size_t head_bytes,
                  const char *first, const char *second);
/* Writes the directory and completes the header. */
void maker_end(struct maker *maker);
/* The first `bytes` bytes as a file; a descriptor that the caller closes. */
int maker_file(const struct maker *maker, size_t bytes);

/* Little-endian numbers into a structure under construction. */
void put16(unsigned char *at, uint16_t value);
void put32(unsigned char *at, uint32_t value);
void put64(unsigned char *at, uint64_t value);

/* The parts, each as a stream. */
void maker_system(struct maker *maker, uint16_t cpu, uint32_t platform, const char *version);
void maker_exception(struct maker *maker, uint32_t tid, uint32_t code, uint32_t flags,
                     uint64_t address, uint32_t context_bytes, uint32_t context_offset);
/* One entry of a thread list or a module list. */
void maker_thread(unsigned char entry[48], uint32_t tid, uint64_t stack, uint32_t stack_bytes,
                  uint32_t stack_offset, uint32_t context_bytes, uint32_t context_offset);
void maker_module(unsigned char entry[108], uint64_t base, uint32_t bytes, uint32_t name_offset,
                  uint32_t codeview_bytes, uint32_t codeview_offset);
/* An x86-64 context with those registers, rax = 0x1111. */
uint32_t maker_context(struct maker *maker, uint64_t ip, uint64_t sp, uint64_t fp);

/* A whole dump as Cairn's monitor writes one: two threads, three modules, stack memory, a SIGSEGV
 * in thread 101 at 0x401234, records of every kind. */
void maker_cairn_dump(struct maker *maker);

#endif
