/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes configurations: YAML, structure, substitution, every type of plugin option, and the text
 * that shows the problems with carets.
 */
#include "core/util/buf.h"
#include "tests/engine/check_config.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

static void print(const struct config *config, const struct config_problems *problems)
{
    struct buf text;

    buf_init(&text, 1 << 20);
    config_problems_print(problems, config != NULL ? config->source : NULL, &text);
    fuzz_require(problems->count == 0 || (text.data != NULL && text.bytes > 0));
    buf_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    int fd = fuzz_file(data, bytes);
    struct config_problems problems;
    struct config *config = NULL;
    int result;

    config_problems_init(&problems);
    result = config_load(NULL, fd, "/nowhere/cairn.yaml", &config, &problems);
    fuzz_require((result != 0) == (problems.errors > 0));
    if (config != NULL) {
        result = config_bind(config, test_find_plugin, NULL, &problems);
        fuzz_require(result == 0 || problems.errors > 0);
        if (problems.errors == 0) {
            fuzz_require(config->spool != NULL && config->spool[0] == '/');
            (void)config_choose(config, "/usr/bin/program", "user", "application");
        }
    }
    print(config, &problems);
    config_problems_finish(&problems);
    config_destroy(config);
    close(fd);
    return 0;
}
