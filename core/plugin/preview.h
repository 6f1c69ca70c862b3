/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A preview: what a transport would send, piece by piece, as its step wrote it into a file. The
 * writing side is the service of CAIRN_SERVICE_PREVIEW, in the step; the reading side runs in the
 * tools, on hostile bytes.
 */
#ifndef CAIRN_CORE_PLUGIN_PREVIEW_H
#define CAIRN_CORE_PLUGIN_PREVIEW_H

#include "core/config/config.h"
#include "core/util/error.h"

#include <cairn/plugin.h>

#define PREVIEW_MAX_PARTS 4096
#define PREVIEW_MAX_TEXT  4096 /* of a name, a path, a type */

/* Before each part's texts and data, which follow without NUL bytes. */
enum preview_text { PREVIEW_NAME, PREVIEW_PATH, PREVIEW_FILENAME, PREVIEW_TYPE, PREVIEW_TEXTS };
#define PREVIEW_ABSENT UINT32_MAX
struct preview_record {
    uint32_t kind;                      /* enum cairn_preview_kind */
    uint32_t text_bytes[PREVIEW_TEXTS]; /* or PREVIEW_ABSENT */
    uint32_t reserved;
    uint64_t data_bytes;
};

struct preview_part {
    enum cairn_preview_kind kind;
    char *texts[PREVIEW_TEXTS]; /* NULL: not given; the name always is */
    char *data;                 /* NUL-terminated; in a file there may be more of them */
    size_t bytes;
};

struct preview {
    struct preview_part *parts;
    size_t count;
};

/* Reads the file from its beginning. In targets, headers and fields, values of the instance's
 * options that may be secret are hidden. CAIRN_EFORMAT, CAIRN_ESYSTEM, CAIRN_ENOMEM. */
int preview_read(int fd, const struct config_instance *instance, struct preview *ret_preview,
                 struct error *error);
void preview_finish(struct preview *preview);

#endif
