/* SPDX-License-Identifier: Apache-2.0 */
/* The records between a step and its host. */
#include "core/plugin/wire.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Records cut anywhere and changed anywhere are records, not yet there, or refused. */
static void test_wire(void)
{
    struct wire_reader *reader = calloc(1, sizeof(*reader));
    struct wire_view view;
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    size_t bytes =
        wire_send(ends[1], (struct wire_record){ .type = WIRE_ATTRIBUTE, .value = 1, .bits = 7 },
                  "name", "text", 4);
    CU_ASSERT_EQUAL(bytes, sizeof(struct wire_record) + 8);
    CU_ASSERT_EQUAL(wire_fill(reader, ends[0]), (ssize_t)bytes);
    for (size_t cut = 0; cut < bytes; cut++) {
        reader->end = cut;
        CU_ASSERT_EQUAL(wire_next(reader, &view), 0);
    }
    reader->end = bytes;
    CU_ASSERT_EQUAL_FATAL(wire_next(reader, &view), 1);
    CU_ASSERT_EQUAL(view.record.bits, 7);
    CU_ASSERT_EQUAL(memcmp(view.name, "name", view.record.name_bytes), 0);
    CU_ASSERT_EQUAL(memcmp(view.text, "text", view.record.text_bytes), 0);
    CU_ASSERT_EQUAL(wire_next(reader, &view), 0);
    reader->start = 0;
    ((struct wire_record *)(void *)reader->buffer)->text_bytes = WIRE_MAX_TEXT + 1;
    CU_ASSERT_EQUAL(wire_next(reader, &view), -1);
    ((struct wire_record *)(void *)reader->buffer)->text_bytes = 4;
    ((struct wire_record *)(void *)reader->buffer)->type = 99;
    CU_ASSERT_EQUAL(wire_next(reader, &view), -1);
    close(ends[0]);
    close(ends[1]);
    free(reader);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "reads records", test_wire },
        { NULL, NULL },
    };

    return tap_run("wire", tests);
}
