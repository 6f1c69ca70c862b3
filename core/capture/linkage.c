/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the dynamic linker keeps for debuggers: struct r_debug and its list of loaded objects, which
 * LLDB wants to see. Runs in the monitor and in the clone of a crashed program; imports nothing.
 * The list may be damaged or endless: its length is bounded, an unreadable link ends it.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#include <linux/elf.h>

#define MAX_LINKS     4096u
#define NAME_BYTES    256u
#define DYNAMIC_BYTES 4096u
#define TAG_DEBUG     21 /* DT_DEBUG */

/* As in the dynamic linker's <link.h>, for 64 bits. */
struct debug {
    int32_t version;
    int32_t padding;
    uint64_t first, breakpoint;
    int32_t state;
    int32_t padding_too;
    uint64_t linker_base;
};

struct link {
    uint64_t load_address, name, dynamic, next, previous;
};

/* The address of struct r_debug, 0 if there is none. */
static uint64_t find_debug(struct capture *capture)
{
    struct capture_linkage *linkage = &capture->linkage;
    unsigned char *dynamic = arena_alloc(&capture->arena, DYNAMIC_BYTES);
    size_t bytes, at = 0;
    uint64_t debug = 0;

    if (dynamic == NULL) {
        return 0;
    }
    bytes = capture_read(capture, linkage->dynamic_address, dynamic, DYNAMIC_BYTES);
    while (at + sizeof(Elf64_Dyn) <= bytes) {
        Elf64_Dyn entry;

        capture_copy(&entry, dynamic + at, sizeof(entry));
        at += sizeof(entry);
        if (entry.d_tag == DT_NULL) {
            break;
        }
        if (entry.d_tag == TAG_DEBUG) {
            debug = entry.d_un.d_ptr;
        }
    }
    linkage->dynamic = dynamic;
    linkage->dynamic_bytes = at;
    return debug;
}

/* Follows the list; `names` takes each name's address. How many links it has. */
static size_t walk(struct capture *capture, uint64_t address, struct capture_link *links,
                   struct piece *names)
{
    size_t count = 0;

    while (address != 0 && count < MAX_LINKS) {
        struct link link;

        if (capture_read(capture, address, &link, sizeof(link)) != sizeof(link)) {
            break;
        }
        links[count] = (struct capture_link){ link.load_address, link.dynamic, "" };
        names[count] = (struct piece){ link.name, NULL, NAME_BYTES - 1, 0 };
        count++;
        address = link.next;
    }
    return count;
}

static void read_names(struct capture *capture, struct capture_link *links, struct piece *names,
                       size_t count)
{
    unsigned char *texts = arena_array(&capture->arena, count, NAME_BYTES);

    if (texts == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        names[i].to = texts + i * NAME_BYTES;
    }
    memory_read_pieces(capture, names, count);
    for (size_t i = 0; i < count; i++) {
        links[i].name = (const char *)names[i].to; /* the byte behind it is zero */
    }
}

void linkage_read(struct capture *capture)
{
    struct capture_linkage *linkage = &capture->linkage;
    struct capture_link *links;
    struct piece *names;
    struct debug debug;
    uint64_t address;

    if (capture->module_count == 0 || !capture->modules[0].is_main ||
        capture->modules[0].dynamic_address == 0) {
        return;
    }
    linkage->dynamic_address = capture->modules[0].dynamic_address;
    address = find_debug(capture);
    if (address == 0 || capture_read(capture, address, &debug, sizeof(debug)) != sizeof(debug)) {
        return;
    }
    links = arena_array(&capture->arena, MAX_LINKS, sizeof(*links));
    names = arena_array(&capture->arena, MAX_LINKS, sizeof(*names));
    if (links == NULL || names == NULL) {
        return;
    }
    linkage->version = (uint32_t)debug.version;
    linkage->breakpoint = debug.breakpoint;
    linkage->linker_base = debug.linker_base;
    linkage->links = links;
    linkage->link_count = walk(capture, debug.first, links, names);
    read_names(capture, links, names, linkage->link_count);
}
