/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example of a writer: the frames of the crashed thread as comma-separated values (RFC 4180).
 *
 *     writers:
 *       table: { plugin: csv, separator: ";" }
 *
 * Runs in a step of the engine, in a process of its own, after the crash.
 */
#include <cairn/plugin.h>

#include <stdio.h>
#include <string.h>

struct config {
    const char *separator;
};

static const struct cairn_option options[] = {
    { .name = "separator",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, separator),
      .default_text = ",",
      .help = "What stands between two values: one character." },
    { .name = NULL },
};

static int check(const struct cairn_host *host, const void *config)
{
    const char *separator = ((const struct config *)config)->separator;

    if (strlen(separator) != 1 || strpbrk(separator, "\"\r\n") != NULL) {
        return host->problem(host, "separator",
                             "\"%s\" is not one character that can separate values", separator);
    }
    return CAIRN_PLUGIN_OK;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

/* In quotes, with those inside doubled. What is unknown is an empty value. */
static void put_text(FILE *file, const char *text, const char *separator)
{
    if (text != NULL) {
        fputc('"', file);
        for (; *text != '\0'; text++) {
            if (*text == '"') {
                fputc('"', file);
            }
            fputc(*text, file);
        }
        fputc('"', file);
    }
    fputs(separator, file);
}

static void put_frame(FILE *file, const struct cairn_frame *frame, const char *separator)
{
    fprintf(file, "%u%s0x%llx%s", frame->index, separator, (unsigned long long)frame->address,
            separator);
    put_text(file, frame->module, separator);
    fprintf(file, "0x%llx%s", (unsigned long long)frame->module_offset, separator);
    put_text(file, frame->symbol, separator);
    put_text(file, frame->trust, "\r\n");
}

static int write_table(void *context, struct cairn_writer_args *args)
{
    const char *separator = ((const struct config *)context)->separator;
    const struct cairn_host *host = args->host;
    struct cairn_frame frame = { .size = sizeof(frame) };
    FILE *file = fdopen(args->fd, "w");

    if (file == NULL) {
        return host->fail(host, "There is no memory to write the table.");
    }
    fprintf(file, "frame%saddress%smodule%soffset%ssymbol%strust\r\n", separator, separator,
            separator, separator, separator);
    for (size_t i = 0; host->frame_at(host, args->report, i, &frame); i++) {
        put_frame(file, &frame, separator);
    }
    /* The host closes the descriptor; it syncs and names the file when this returns success. */
    if (fflush(file) != 0 || ferror(file)) {
        return host->fail(host, "The table cannot be written.");
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_writer_ops ops = {
    .size = sizeof(ops),
    .check = check,
    .create = create,
    .write = write_table,
    .extension = "csv",
    .media_type = "text/csv",
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_WRITER, "csv");

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_WRITER),
    .name = "csv",
    .version = "1.0",
    .summary = "Write the frames of the crashed thread as a table.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};
