/* SPDX-License-Identifier: Apache-2.0 */
/* The reporter's file; see records.h. Runs in a step of the engine. */
#include "plugins/hook/launch_reporter/records.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define MAX_ITEMS 4096 /* of one kind: a bound on every loop */
#define PARAMETER "BREAKPAD_SERVER_PARAMETER_"

static void put(FILE *stream, const char *key, const char *value)
{
    if (value != NULL) {
        fprintf(stream, "%s\n%zu\n%s\n", key, strlen(value), value);
    }
}

/* A value as text, in `buffer` when it is no string. */
static const char *value_text(const struct cairn_value *value, char buffer[32])
{
    switch (value->type) {
    case CAIRN_VALUE_STRING:
        return value->string;
    case CAIRN_VALUE_INTEGER:
        snprintf(buffer, 32, "%" PRId64, value->integer);
        return buffer;
    case CAIRN_VALUE_DOUBLE:
        snprintf(buffer, 32, "%.15g", value->number);
        return buffer;
    case CAIRN_VALUE_BOOL:
        return value->boolean ? "true" : "false";
    case CAIRN_VALUE_UINT64:
        snprintf(buffer, 32, "0x%" PRIx64, value->uint64);
        return buffer;
    default:
        return NULL;
    }
}

static void put_fields(FILE *stream, const struct cairn_hook_args *args)
{
    static const struct {
        const char *key, *path;
    } fields[] = {
        { "BreakpadProduct", "application.name" },
        { "BreakpadProductDisplay", "application.name" },
        { "BreakpadVersion", "application.version" },
        { "CairnId", "id" },
        { "CairnKind", "kind" },
        { "CairnTime", "time" },
        { "CairnSignal", "crash.signal" },
        { "CairnCode", "crash.code" },
        { "CairnAddress", "crash.address" },
        { "CairnReason", "crash.reason" },
        { "CairnMessage", "crash.message" },
        { "CairnSignature", "signature" },
        { "CairnExecutable", "process.executable" },
        { "CairnPid", "crash.pid" },
    };
    struct cairn_value value;
    char buffer[32];

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (args->host->get(args->host, args->report, fields[i].path, &value)) {
            put(stream, fields[i].key, value_text(&value, buffer));
        }
    }
}

/* In seconds since 1970, as Breakpad has it. */
static void put_time(FILE *stream, const struct cairn_hook_args *args)
{
    struct cairn_value value;
    struct tm broken_down = { 0 };
    char text[32];

    if (args->host->get(args->host, args->report, "time", &value) &&
        value.type == CAIRN_VALUE_STRING &&
        strptime(value.string, "%Y-%m-%dT%H:%M:%S", &broken_down) != NULL) {
        snprintf(text, sizeof(text), "%" PRId64, (int64_t)timegm(&broken_down));
        put(stream, "BreakpadProcessCrashTime", text);
    }
}

/* Where the first minidump lies. Breakpad names folder and file apart, without ".dmp". */
static void put_minidump(FILE *stream, const struct cairn_hook_args *args)
{
    char id[256];

    for (size_t i = 0; i < MAX_ITEMS; i++) {
        struct cairn_artifact artifact = { .size = sizeof(artifact) };

        if (!args->host->artifact_at(args->host, args->report, i, &artifact)) {
            return;
        }
        if (artifact.is_minidump && artifact.name != NULL && artifact.path != NULL) {
            size_t length = strlen(artifact.name);

            length -= length > 4 && strcmp(artifact.name + length - 4, ".dmp") == 0 ? 4 : 0;
            snprintf(id, sizeof(id), "%.*s", (int)length, artifact.name);
            put(stream, "MinidumpDir", args->folder);
            put(stream, "MinidumpID", id);
            put(stream, "CairnMinidump", artifact.path);
            return;
        }
    }
}

static void put_attributes(FILE *stream, const struct cairn_hook_args *args)
{
    struct cairn_value value;
    const char *name;
    char key[sizeof(PARAMETER) + 128], buffer[32];

    for (size_t i = 0;
         i < MAX_ITEMS && args->host->attribute_at(args->host, args->report, i, &name, &value);
         i++) {
        snprintf(key, sizeof(key), PARAMETER "%s", name);
        put(stream, key, value_text(&value, buffer));
    }
}

void records_write(FILE *stream, const struct cairn_hook_args *args, const struct cairn_map *values)
{
    const char *const *texts = values->values;

    put_minidump(stream, args);
    put(stream, "CairnFolder", args->folder);
    put_fields(stream, args);
    put_time(stream, args);
    put_attributes(stream, args);
    for (size_t i = 0; i < values->count; i++) {
        put(stream, values->keys[i], texts[i]);
    }
}
