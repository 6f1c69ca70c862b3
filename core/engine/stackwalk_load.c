/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands for the stack walk's module in the engine; see stackwalk.h. Where it cannot be loaded, the
 * walk goes on as without any file: by frame pointers and by scanning. Runs in the walk's child
 * process. [engine]
 */
#include "core/engine/engine.h"
#include "core/engine/stackwalk.h"
#include "core/util/error.h"
#include "core/util/log.h"

#include <stdlib.h>

struct stackwalk {
    const struct stackwalk_module *module; /* NULL: it could not be loaded */
    struct stackwalk *files;               /* the module's own */
};

static const struct stackwalk_module *load(void)
{
    struct error error;
    const void *module = engine_load_module(STACKWALK_MODULE, STACKWALK_SYMBOL, &error);

    if (module == NULL) {
        log_line(LOG_LEVEL_WARNING, "The stack is walked without files: %s", error.text);
    }
    return module;
}

struct stackwalk *stackwalk_open(const struct minidump *dump)
{
    struct stackwalk *walk = calloc(1, sizeof(*walk));

    if (walk == NULL) {
        return NULL;
    }
    walk->module = load();
    walk->files = walk->module != NULL ? walk->module->open(dump) : NULL;
    if (walk->module != NULL && walk->files == NULL) {
        free(walk);
        return NULL;
    }
    return walk;
}

void stackwalk_close(struct stackwalk *walk)
{
    if (walk != NULL && walk->module != NULL) {
        walk->module->close(walk->files);
    }
    free(walk);
}

enum stackwalk_end stackwalk_callers(struct stackwalk *walk,
                                     const struct unwind_registers *registers, uint64_t lookup,
                                     stackwalk_caller_fn *found, void *user)
{
    return walk->module != NULL ? walk->module->callers(walk->files, registers, lookup, found, user)
                                : STACKWALK_UNKNOWN;
}

bool stackwalk_symbol(struct stackwalk *walk, uint64_t address, const char **ret_name,
                      uint64_t *ret_offset)
{
    return walk->module != NULL && walk->module->symbol(walk->files, address, ret_name, ret_offset);
}

bool stackwalk_code(struct stackwalk *walk, uint64_t address, void *buffer, size_t bytes)
{
    return walk->module != NULL && walk->module->code(walk->files, address, buffer, bytes);
}
