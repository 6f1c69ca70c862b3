/* SPDX-License-Identifier: Apache-2.0 */
/* A writer that lists the artifacts made before it, or fails as it is told to. Compiled twice: as
 * "fake" and, with MINIDUMP, as one that claims to write minidumps. In a step's process. */
#include "fake.h"

#ifdef MINIDUMP
#define NAME      "fakedump"
#define EXTENSION "dmp"
#define TYPE      "application/x-dmp"
#else
#define NAME      "fake"
#define EXTENSION "json" /* an instance called "report" asks for a name that is taken */
#define TYPE      "application/json"
#endif

static int write_list(void *context, struct cairn_writer_args *args)
{
    const char *word = what(context);
    struct cairn_artifact artifact = { .size = sizeof(artifact) };

    if (strcmp(word, "fail") == 0) {
        return args->host->fail(args->host, "It was told to fail.");
    }
    if (strcmp(word, "nothing") == 0) {
        return CAIRN_PLUGIN_UNSUPPORTED;
    }
    dprintf(args->fd, "[");
    for (size_t i = 0; args->host->artifact_at(args->host, args->report, i, &artifact); i++) {
        dprintf(args->fd, "%s\"%s\"", i > 0 ? ", " : "",
                access(artifact.path, R_OK) == 0 ? artifact.name : "missing");
    }
    dprintf(args->fd, "]\n");
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_writer_ops ops = { .size = sizeof(ops),
                                             .create = create,
                                             .write = write_list,
                                             .extension = EXTENSION,
                                             .media_type = TYPE };

FAKE_PLUGIN(CAIRN_KIND_WRITER, NAME);
