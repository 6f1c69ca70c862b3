/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the dynamic linker keeps for debuggers: struct r_debug and its list of loaded objects, which
 * LLDB wants to see. Runs in the monitor and in the clone of a crashed program; imports nothing.
 * The list may be damaged or endless: its length is bounded, an unreadable link ends it.
 *
 * The linker allocates links and names one after the other, so that a window of the memory behind a
 * link mostly holds the next ones too: a system call for each would take longer than all else.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#include <linux/elf.h>

#define MAX_LINKS     4096u
#define NAME_BYTES    256u
#define DYNAMIC_BYTES 4096u
#define WINDOW_BYTES  16384u
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

/* The piece of memory that was read last. */
struct window {
    uint64_t start;
    size_t bytes;
    unsigned char data[WINDOW_BYTES];
};

/* What the window holds from `address` on; how many bytes. */
static size_t look(const struct window *window, uint64_t address, const unsigned char **ret_data)
{
    uint64_t offset = address - window->start;

    if (address < window->start || offset >= window->bytes) {
        return 0;
    }
    *ret_data = window->data + offset;
    return window->bytes - offset;
}

static bool read_link(struct capture *capture, struct window *window, uint64_t address,
                      struct link *ret_link)
{
    const unsigned char *data;

    if (look(window, address, &data) < sizeof(*ret_link)) {
        window->start = address;
        window->bytes = capture_read(capture, address, window->data, sizeof(window->data));
        if (look(window, address, &data) < sizeof(*ret_link)) {
            return false;
        }
    }
    capture_copy(ret_link, data, sizeof(*ret_link));
    return true;
}

/* A link's name is to be read later, unless the window holds it up to its end. */
static struct piece make_name(struct arena *arena, const struct window *window, uint64_t address)
{
    const unsigned char *data = NULL;
    size_t bytes = look(window, address, &data), length;

    bytes = bytes < NAME_BYTES - 1 ? bytes : NAME_BYTES - 1;
    length = capture_length_within((const char *)data, bytes);
    if (length < bytes) {
        return (struct piece){ .to =
                                   (unsigned char *)arena_text(arena, (const char *)data, length) };
    }
    return (struct piece){ address, arena_alloc(arena, NAME_BYTES), NAME_BYTES - 1, 0 };
}

/* Follows the list; how many links it has. */
static size_t walk(struct capture *capture, uint64_t address, struct capture_link *links,
                   struct piece *names)
{
    struct window *window = arena_alloc(&capture->arena, sizeof(*window));
    size_t count = 0;
    struct link link;

    while (window != NULL && address != 0 && count < MAX_LINKS &&
           read_link(capture, window, address, &link)) {
        names[count] = make_name(&capture->arena, window, link.name);
        if (names[count].to == NULL) {
            break;
        }
        links[count] = (struct capture_link){ link.load_address, link.dynamic, "" };
        links[count].name = (const char *)names[count].to; /* the byte behind it is zero */
        count++;
        address = link.next;
    }
    return count;
}

void linkage_follow(struct capture *capture)
{
    struct capture_linkage *linkage = &capture->linkage;
    uint64_t address = linkage->dynamic_address != 0 ? find_debug(capture) : 0;
    struct capture_link *links;
    struct piece *names;
    struct debug debug;

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
    memory_read_pieces(capture, names, linkage->link_count);
}

void linkage_read(struct capture *capture)
{
    if (capture->linkage.version == 0 && capture->module_count > 0 && capture->modules[0].is_main) {
        capture->linkage.dynamic_address = capture->modules[0].dynamic_address;
        linkage_follow(capture);
    }
}
