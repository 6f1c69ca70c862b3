/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes plugin files: the ELF image and the descriptor, options and note in it. */
#include "core/plugin/plugin.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct plugin_facts *facts = NULL;
    int fd = fuzz_file(data, bytes);
    struct error error = { 0 };

    if (plugin_describe(fd, "/plugins/good.so", &facts, &error) == 0) {
        fuzz_require(strcmp(facts->name, "good") == 0);
        for (size_t i = 0; i < facts->option_count; i++) {
            fuzz_require(facts->options[i].name != NULL);
            fuzz_require(facts->options[i].offset < facts->config_size);
        }
        plugin_facts_destroy(facts);
    } else {
        fuzz_require(facts == NULL && error.text[0] != '\0');
    }
    close(fd);
    return 0;
}
