/* SPDX-License-Identifier: Apache-2.0 */
/* Sends well-formed records past its limit, as the host would not. In a step's process. */
#define NAME "overrun"
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    /* struct wire_record of an attribute "a" with a text of 60000 bytes */
    static struct {
        uint32_t type, value;
        uint64_t bits;
        uint32_t name_bytes, text_bytes;
        char name, text[60000];
    } __attribute__((packed)) record = { 5, CAIRN_VALUE_STRING, 0, 1, 60000, 0, "" };

    (void)context;
    (void)args;
    record.name = 0x61;
    memset(record.text, 0x62, sizeof(record.text));
    for (;;) {
        if (write(3, &record, sizeof(record)) < 0) {
            return CAIRN_PLUGIN_FAILED;
        }
    }
}
