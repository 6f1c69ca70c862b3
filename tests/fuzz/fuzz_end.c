/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what the monitor reads of a program that has ended: /proc/PID/stat and cgroup, the files
 * of its control group. core/monitor/end.c, cgroup.c.
 */
#include "core/monitor/cgroup.h"
#include "core/monitor/end.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[CGROUP_PATH_BYTES];
    char *text = malloc(bytes + 1);
    uint64_t number;
    int status;

    fuzz_require(text != NULL);
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    if (end_parse_stat(text, bytes, 0, &status)) {
        struct end end = end_of_status(status);
        fuzz_require(end.how != END_SIGNALLED || (end.signal > 0 && end.signal <= 64));
    }
    if (cgroup_parse_path(text, path) != 0) {
        fuzz_require(path[0] == '/' && strlen(path) < sizeof(path));
        fuzz_require(strstr(path, "/..") == NULL);
    }
    cgroup_parse_number(text, "oom_kill", &number);
    cgroup_parse_number(text, "", &number);
    free(text);
    return 0;
}
