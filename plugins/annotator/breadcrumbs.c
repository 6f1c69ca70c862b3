/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotator/breadcrumbs: what the program did last, as attributes, for servers that know no
 * breadcrumbs: how many there are, the last one, and the last few with their distance to the crash.
 * Runs in a step of the engine.
 */
#include <cairn/plugin.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_TEXT        (60 * 1024) /* an attribute has at most 64 KiB */
#define MAX_BREADCRUMBS 4096        /* no program leaves more; a bound on the loop */

struct config {
    int64_t max;
};

static const struct cairn_option options[] = {
    { .name = "max",
      .type = CAIRN_OPTION_INTEGER,
      .offset = offsetof(struct config, max),
      .default_text = "20",
      .min = 1,
      .max = 256,
      .help = "How many of the last breadcrumbs the attribute breadcrumbs.text lists." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static int breadcrumb_at(const struct cairn_annotator_args *args, size_t index,
                         struct cairn_breadcrumb *ret_breadcrumb)
{
    *ret_breadcrumb = (struct cairn_breadcrumb){ .size = sizeof(*ret_breadcrumb) };
    return args->host->breadcrumb_at(args->host, args->report, index, ret_breadcrumb);
}

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* Lines from `first` to before `count`: seconds before the last breadcrumb, category, message. */
static char *list_text(const struct cairn_annotator_args *args, size_t first, size_t count)
{
    struct cairn_breadcrumb breadcrumb, last;
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);

    if (stream == NULL || !breadcrumb_at(args, count - 1, &last)) {
        goto out;
    }
    for (size_t i = first; i < count && ftell(stream) < MAX_TEXT; i++) {
        if (breadcrumb_at(args, i, &breadcrumb)) {
            int64_t before = (int64_t)(breadcrumb.time - last.time) / 1000000;

            fprintf(stream, "%s%+.3f s  %.31s: %.207s", i > first ? "\n" : "",
                    (double)before / 1000, text_or_empty(breadcrumb.category),
                    text_or_empty(breadcrumb.message));
        }
    }
out:
    if (stream != NULL && fclose(stream) != 0) {
        free(text);
        text = NULL;
    }
    return text;
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    const struct config *config = context;
    const struct cairn_host *host = args->host;
    struct cairn_breadcrumb breadcrumb;
    size_t count = 0, listed = (size_t)config->max;
    char last[256];
    char *text;
    int status;

    while (count < MAX_BREADCRUMBS && breadcrumb_at(args, count, &breadcrumb)) {
        count++;
    }
    if (count == 0 || !breadcrumb_at(args, count - 1, &breadcrumb)) {
        return CAIRN_PLUGIN_UNSUPPORTED;
    }
    snprintf(last, sizeof(last), "%.31s: %.207s", text_or_empty(breadcrumb.category),
             text_or_empty(breadcrumb.message));
    text = list_text(args, count > listed ? count - listed : 0, count);
    if (text == NULL) {
        return host->fail(host, "No memory for the text of %zu breadcrumbs.", count);
    }
    status = host->set_integer(host, "breadcrumbs.count", (int64_t)count) |
             host->set_string(host, "breadcrumbs.last", last) |
             host->set_string(host, "breadcrumbs.text", text);
    free(text);
    return status == 0 ? CAIRN_PLUGIN_OK
                       : host->fail(host, "The attributes of the breadcrumbs could not be set.");
}

static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .annotate = annotate,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_ANNOTATOR),
    .name = "breadcrumbs",
    .version = "1.0.0",
    .summary = "Adds the program's last breadcrumbs as attributes.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_ANNOTATOR, "breadcrumbs");
