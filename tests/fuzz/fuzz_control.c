/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The negative control: a parser that trusts a length. The fuzzer must find it, or what it says of
 * the others means nothing.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *volatile field = malloc(16); /* volatile: it must not be optimized away */

    fuzz_require(field != NULL);
    if (bytes >= 4 && data[0] == 'M' && data[1] == 'D' && bytes >= 4u + data[2]) {
        memcpy(field, data + 4, data[2]); /* up to 255 bytes into 16 */
    }
    free(field);
    return 0;
}
