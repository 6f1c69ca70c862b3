/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C++ exception that made a program abort: its type's name, as the compiler wrote it, and its
 * text. std::terminate() says them on standard error and keeps nothing. Runs in the monitor and in
 * the clone of a crashed program; imports nothing. No code of the program runs, every address is
 * foreign: what the stack points to counts if it is laid out as the Itanium C++ ABI says, "Level
 * II: C++ ABI", sections 2.2.1 (exception objects) and 2.9.5 (type descriptions).
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#define STACK_BYTES 8192u
#define NAME_BYTES  256u
#define TEXT_BYTES  512u

/* Of exceptions that C++ code threw, without the lowest byte: "GNUCC++", and Clang's own. */
#define CLASS_GNU       0x474e5543432b2b00ull
#define CLASS_CLANG     0x434c4e47432b2b00ull
#define MOST_REFERENCES 0x10000u
#define DEPENDENT       1u /* the lowest byte: thrown again by std::rethrow_exception() */

/* In front of the object that was thrown. */
struct header {
    uint64_t counts[2]; /* one is of references, the other 0; not so in freed memory */
    uint64_t type;      /* struct std::type_info; or, if it is dependent, the object */
    uint64_t destructor, unexpected, terminate, next;
    int32_t handlers, selector; /* how many are at it */
    uint64_t action, table, landing, adjusted;
    uint64_t class, cleanup, unwinding[2]; /* struct _Unwind_Exception */
};

/* A text that ends within `size` bytes and can be printed; its length, else 0. */
static size_t read_text(struct capture *capture, uint64_t address, char *text, size_t size)
{
    size_t bytes = capture_read(capture, address, text, size), length = 0;

    while (length < bytes && ((unsigned char)text[length] >= ' ' || text[length] == '\n')) {
        length++;
    }
    if (length == bytes || text[length] != '\0') {
        length = 0;
    }
    text[length] = '\0';
    return length;
}

/* Strings and pointers to text begin with its address; the standard library's exceptions, and most
 * of other people's, have it behind the address of their functions. */
static uint64_t where_text_is(const char *name)
{
    return name[0] == 'P' || capture_starts(name, "NSt7__cxx1112basic_string") ? 0
                                                                               : sizeof(uint64_t);
}

static void describe(struct capture *capture, uint64_t type, uint64_t object)
{
    char name[NAME_BYTES], text[TEXT_BYTES], whole[NAME_BYTES + TEXT_BYTES + 32];
    uint64_t address = 0;

    capture_read(capture, type + sizeof(address), &address, sizeof(address));
    if (read_text(capture, address, name, sizeof(name)) == 0) {
        return;
    }
    address = 0;
    capture_read(capture, object + where_text_is(name), &address, sizeof(address));
    read_text(capture, address, text, sizeof(text));
    capture->message =
        arena_text(&capture->arena, whole,
                   capture_format(whole, sizeof(whole), CAPTURE_THROWN "%s: %s", name, text));
}

static bool read_header(struct capture *capture, uint64_t address, struct header *ret_header)
{
    return capture_read(capture, address, ret_header, sizeof(*ret_header)) == sizeof(*ret_header) &&
           ((ret_header->class & ~0xffull) == CLASS_GNU ||
            (ret_header->class & ~0xffull) == CLASS_CLANG);
}

/* `object` may be where an object lies that was thrown. */
static void try_object(struct capture *capture, uint64_t object)
{
    struct header header;

    if (!read_header(capture, object - sizeof(header), &header) || header.handlers == 0) {
        return;
    }
    if ((header.class & 0xff) == DEPENDENT) {
        object = header.type;
        if (!read_header(capture, object - sizeof(header), &header)) {
            return;
        }
    }
    if (header.counts[0] + header.counts[1] - 1 < MOST_REFERENCES) {
        describe(capture, header.type, object);
    }
}

void exception_read(struct capture *capture)
{
    const struct capture_thread *thread = &capture->threads[capture->crashed];
    uint64_t words[STACK_BYTES / sizeof(uint64_t)];
    size_t count = capture_read(capture, arch_stack_pointer(&thread->registers) & ~7ull, words,
                                sizeof(words)) /
                   sizeof(words[0]);

    for (size_t i = 0; i < count && capture->message == NULL; i++) {
        if (words[i] % 16 == 0) {
            /* Pointers to the object, to what the unwinder sees of it, and to the header. */
            try_object(capture, words[i]);
            try_object(capture, words[i] + sizeof(struct header) - offsetof(struct header, class));
            try_object(capture, words[i] + sizeof(struct header) - offsetof(struct header, type));
        }
    }
}
