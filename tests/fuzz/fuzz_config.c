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
    config_print_problems(config, problems, &text);
    fuzz_require(problems->count == 0 || (text.data != NULL && text.bytes > 0));
    buf_finish(&text);
}

/* What is written as the copy beside a report means the same as what it was made of. */
static void copy(struct config *config)
{
    struct config_problems problems;
    struct config *again = NULL;
    struct buf text, once, twice;
    int fd;

    buf_init(&text, 16 << 20);
    buf_init(&once, 16 << 20);
    buf_init(&twice, 16 << 20);
    config->layered = true; /* as if a layer below had nothing to say */
    config_text(config, &text);
    config_show(config, false, &once);
    fuzz_require(text.failed == 0 && once.failed == 0 && text.bytes > 0);
    if (text.bytes <= CONFIG_MAX_BYTES) {
        fd = fuzz_file((const uint8_t *)text.data, text.bytes);
        config_problems_init(&problems);
        fuzz_require(config_load(NULL, fd, "/nowhere/copy.yaml", &again, &problems) == 0);
        fuzz_require(config_bind(again, test_find_plugin, NULL, &problems) == 0);
        config_show(again, false, &twice);
        fuzz_require(twice.failed == 0 && strcmp(once.data, twice.data) == 0);
        config_destroy(again);
        config_problems_finish(&problems);
        close(fd);
    }
    buf_finish(&text);
    buf_finish(&once);
    buf_finish(&twice);
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
            copy(config);
        }
    }
    print(config, &problems);
    config_problems_finish(&problems);
    config_destroy(config);
    close(fd);
    return 0;
}
