/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads a module of the engine's: code with a library that is too large to be mapped at every
 * start. A module that cannot be used is never the end of a report. [engine, and its stack walk's
 * child]
 */
#include "config.h"

#include "core/engine/engine.h"
#include "core/util/error.h"
#include "core/util/paths.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define VERSION_BYTES 32

const void *engine_load_module(const char *file, const char *symbol, struct error *error)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/%s", paths_libexec(), file);
    const void *module;
    void *handle;

    if (length < 0 || (size_t)length >= sizeof(path)) {
        error_set(error, CAIRN_EFULL, "%s cannot be used: its path is too long.", file);
        return NULL;
    }
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    module = handle != NULL ? dlsym(handle, symbol) : NULL;
    if (module == NULL) {
        error_set(error, CAIRN_ESYSTEM, "%s cannot be used: %s.", path, dlerror());
        return NULL;
    }
    if (strncmp(module, PACKAGE_VERSION, VERSION_BYTES) != 0) {
        error_set(error, CAIRN_EFORMAT, "%s cannot be used: it is of another version.", path);
        return NULL;
    }
    return module;
}
