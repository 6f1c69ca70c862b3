/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes what a plugin's process sends to its host: core/plugin/wire.c and intake.c. */
#include "core/plugin/intake.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct intake intake;
    struct fuzz_input input = { data, bytes };
    struct config_instance instance = { .id = "fuzz", .plugin = "fuzz", .output_bytes = 1 << 20 };
    struct step_request request = { .instance = &instance };
    struct step_result result = { .error = "" };
    int fd;

    instance.kind = (enum cairn_kind)(1 + fuzz_byte(&input) % 5);
    fd = fuzz_file(input.at, input.left);
    memset(&intake, 0, sizeof(intake));
    intake.request = &request;
    intake.result = &result;
    while (intake_read(&intake, fd)) {
    }
    fuzz_require(strlen(intake.failure) < sizeof(intake.failure));
    fuzz_require(strlen(intake.why) < sizeof(intake.why));
    for (size_t i = 0; i < result.attribute_count; i++) {
        fuzz_require(strlen(result.attributes[i].name) > 0);
    }
    step_result_finish(&result);
    close(fd);
    return 0;
}
