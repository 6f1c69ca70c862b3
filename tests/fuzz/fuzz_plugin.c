/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes plugin files: the ELF image and the descriptor, options and note in it. */
#include "core/plugin/elf.h"
#include "core/plugin/plugin.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

/* What `cairn plugin lint` looks at besides. */
static void look_at_links(int fd)
{
    struct elf_image image;
    struct elf_symbol symbol;
    struct error error = { 0 };
    uint64_t position = 0;

    if (elf_read(fd, "good.so", &image, &error) < 0) {
        return;
    }
    (void)elf_binds_now(&image);
    for (const char *name; (name = elf_needed(&image, &position)) != NULL;) {
        fuzz_require(strlen(name) < image.size);
    }
    for (uint64_t i = 0, end = elf_symbols(&image); i < end && elf_symbol_at(&image, i, &symbol);
         i++) {
        fuzz_require(strlen(symbol.name) < image.size);
    }
    elf_finish(&image);
}

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
    look_at_links(fd);
    close(fd);
    return 0;
}
