/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of the report's files: large ones by the module of digest.h, which is loaded for the
 * first of them; small ones, and all where it cannot be used, by libmd. The digest is the same,
 * only slower, so nobody is told. [engine]
 */
#include "core/engine/digest.h"

#include "core/engine/engine.h"
#include "core/util/error.h"
#include "core/util/text.h"

#include <sys/stat.h>

#define LARGE_BYTES (4 << 20) /* what is less, libmd is done with before the module is loaded */

static const struct digest_module *load_once(void)
{
    static const struct digest_module *module; /* NULL: it could not be loaded */
    static bool is_tried;

    if (!is_tried) {
        struct error error;

        is_tried = true;
        module = engine_load_module(DIGEST_MODULE, DIGEST_SYMBOL, &error);
    }
    return module;
}

int engine_digest(int fd, char ret_hex[65])
{
    const struct digest_module *module = NULL;
    struct stat status;

    if (fstat(fd, &status) == 0 && status.st_size >= LARGE_BYTES) {
        module = load_once();
    }
    if (module != NULL && module->sha256(fd, ret_hex) == 0) {
        return 0;
    }
    return text_sha256_fd(fd, ret_hex);
}
