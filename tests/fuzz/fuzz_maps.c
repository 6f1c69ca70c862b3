/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes /proc/PID/maps: core/capture/mappings.c. */
#include "tests/fuzz/process.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct fuzz_input input = { data, bytes };
    struct capture capture;
    uint64_t last = 0;

    process_begin(&capture, fuzz_byte(&input), (struct fuzz_input){ NULL, 0 });
    process_add_file(&capture, "maps", input);
    mappings_parse(&capture);
    for (size_t i = 0; i < capture.mapping_count; i++) {
        const struct capture_mapping *mapping = &capture.mappings[i];

        fuzz_require(mapping->start >= last && mapping->end > mapping->start);
        fuzz_require(strlen(mapping->path) <= bytes);
        fuzz_require(mapping_at_or_above(&capture, mapping->start) == mapping);
        fuzz_require(mapping_at_or_above(&capture, mapping->end - 1) == mapping);
        last = mapping->end;
    }
    fuzz_require(!mapping_holds(mapping_at_or_above(&capture, UINT64_MAX), UINT64_MAX));
    process_finish(&capture);
    return 0;
}
