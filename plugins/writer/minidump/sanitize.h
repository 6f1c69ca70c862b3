/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack sanitiser: words of captured memory that no stack walk needs are replaced, so that what
 * a program had on its stacks (texts, keys, numbers) does not leave with the minidump. Runs in a
 * step of the engine; the dump is hostile.
 *
 * A word stays when it is a small number, or points into a module, into executable memory or into
 * captured memory: return addresses and frame pointers are among these. Memory that the program
 * registered stays as it is, and so does code. Registers are not memory: they stay.
 */
#ifndef CAIRN_PLUGINS_WRITER_MINIDUMP_SANITIZE_H
#define CAIRN_PLUGINS_WRITER_MINIDUMP_SANITIZE_H

#include <stddef.h>
#include <stdint.h>

#define SANITIZE_DEFACED 0x0defaced0defacedull /* as Breakpad's and Crashpad's sanitisers write */
#define SANITIZE_SMALL   4096                  /* numbers from -4096 to 4096 stay */

/* Memory of the process, [start, end). */
struct sanitize_range {
    uint64_t start, end;
};

struct sanitize_ranges {
    struct sanitize_range *items; /* sorted and not overlapping, once they are all in */
    size_t count, capacity;
};

/* Where captured memory lies in the file. */
struct sanitize_piece {
    uint64_t offset, bytes, address;
};

struct sanitizer {
    const unsigned char *dump;
    size_t bytes;
    struct sanitize_piece *pieces; /* by offset, not overlapping */
    size_t piece_count, piece_capacity;
    struct sanitize_ranges targets; /* what a word may point to */
    struct sanitize_ranges kept;    /* memory that stays as it is */
    int failed;                     /* no memory */
};

/* Reads what is needed of the dump, which has to stay mapped. 0, or -1 without memory. To be
 * finished in any case. */
int sanitize_init(struct sanitizer *sanitizer, const unsigned char *dump, size_t bytes);
void sanitize_finish(struct sanitizer *sanitizer);

/* The first piece that ends behind `offset`, or NULL. */
const struct sanitize_piece *sanitize_next(const struct sanitizer *sanitizer, uint64_t offset);

/* `bytes` bytes of the file at `offset`, all of them in `piece`, sanitised. */
void sanitize_copy(const struct sanitizer *sanitizer, const struct sanitize_piece *piece,
                   uint64_t offset, size_t bytes, unsigned char *to);

#endif
