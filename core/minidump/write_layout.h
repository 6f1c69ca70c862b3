/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structures of a minidump file as they lie on disk, for the writer. Freestanding; all integers
 * little endian, structures packed to 4 bytes. Sources: see format.h.
 */
#ifndef CAIRN_CORE_MINIDUMP_WRITE_LAYOUT_H
#define CAIRN_CORE_MINIDUMP_WRITE_LAYOUT_H

#include <stdint.h>

#pragma pack(push, 4)

struct layout_location {
    uint32_t bytes, rva;
};

struct layout_memory {
    uint64_t start;
    struct layout_location at;
};

struct layout_header {
    uint32_t signature, version, stream_count, directory_rva, checksum, time;
    uint64_t flags;
};

struct layout_directory {
    uint32_t type;
    struct layout_location at;
};

struct layout_thread {
    uint32_t id, suspend_count, priority_class, priority;
    uint64_t thread_pointer;
    struct layout_memory stack;
    struct layout_location context;
};

struct layout_thread_name {
    uint32_t id;
    uint64_t name_rva;
};

struct layout_version {
    uint32_t signature, structure_version;
    uint32_t file_high, file_low, product_high, product_low;
    uint32_t flags_mask, flags, system, type, subtype, date_high, date_low;
};

struct layout_module {
    uint64_t base;
    uint32_t bytes, checksum, time, name_rva;
    struct layout_version version;
    struct layout_location code_view, miscellaneous;
    uint64_t reserved[2];
};

struct layout_memory64_header {
    uint64_t count, rva;
};

struct layout_memory64 {
    uint64_t start, bytes;
};

struct layout_memory_info_header {
    uint32_t header_bytes, entry_bytes;
    uint64_t count;
};

struct layout_memory_info {
    uint64_t base, allocation_base;
    uint32_t allocation_protection, padding;
    uint64_t bytes;
    uint32_t state, protection, type, padding_too;
};

struct layout_handles {
    uint32_t header_bytes, entry_bytes, count, reserved;
};

struct layout_handle {
    uint64_t handle;
    uint32_t type_rva, name_rva; /* MINIDUMP_STRINGs, 0: none */
    uint32_t attributes, access, handle_count, pointer_count;
};

struct layout_exception {
    uint32_t thread_id, padding;
    uint32_t code, flags;
    uint64_t record, address;
    uint32_t parameter_count, padding_too;
    uint64_t parameters[15];
    struct layout_location context;
};

struct layout_system {
    uint16_t architecture, level, revision;
    uint8_t processor_count, product_type;
    uint32_t major, minor, build, platform, csd_rva;
    uint16_t suite_mask, reserved;
    uint32_t cpu[6];
};

struct layout_miscellaneous {
    uint32_t bytes, flags, process_id, create_time, user_time, kernel_time;
};

struct layout_link {
    uint64_t load_address;
    uint32_t name_rva;
    uint64_t dynamic_address;
};

struct layout_linkage {
    uint32_t version, links_rva, link_count;
    uint64_t breakpoint, linker_base, dynamic_address;
};

struct layout_uuid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

struct layout_crashpad {
    uint32_t version;
    struct layout_uuid report_id, client_id;
    struct layout_location annotations, modules;
};

struct layout_crashpad_pair {
    uint32_t name_rva, value_rva;
};

/* CONTEXT_AMD64 */
struct layout_context {
    uint64_t homes[6];
    uint32_t flags, mxcsr;
    uint16_t cs, ds, es, fs, gs, ss;
    uint32_t eflags;
    uint64_t debug[6];
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15, rip;
    unsigned char fxsave[512];
    unsigned char vectors[26 * 16];
    uint64_t vector_control, debug_control, branches[4];
};

#pragma pack(pop)

_Static_assert(sizeof(struct layout_header) == 32, "MINIDUMP_HEADER");
_Static_assert(sizeof(struct layout_thread) == 48, "MINIDUMP_THREAD");
_Static_assert(sizeof(struct layout_thread_name) == 12, "MINIDUMP_THREAD_NAME");
_Static_assert(sizeof(struct layout_module) == 108, "MINIDUMP_MODULE");
_Static_assert(sizeof(struct layout_memory_info) == 48, "MINIDUMP_MEMORY_INFO");
_Static_assert(sizeof(struct layout_handles) == 16, "MINIDUMP_HANDLE_DATA_STREAM");
_Static_assert(sizeof(struct layout_handle) == 32, "MINIDUMP_HANDLE_DESCRIPTOR");
_Static_assert(sizeof(struct layout_exception) == 168, "MINIDUMP_EXCEPTION_STREAM");
_Static_assert(sizeof(struct layout_system) == 56, "MINIDUMP_SYSTEM_INFO");
_Static_assert(sizeof(struct layout_linkage) == 36, "Breakpad's MDRawDebug64");
_Static_assert(sizeof(struct layout_link) == 20, "Breakpad's MDRawLinkMap64");
_Static_assert(sizeof(struct layout_crashpad) == 52, "MinidumpCrashpadInfo");
_Static_assert(sizeof(struct layout_context) == 1232, "CONTEXT_AMD64");

#endif
