/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter/module: keeps, or drops, crashes with certain modules among the first frames of the
 * crashed thread; for authors of libraries and plug-ins that run in other people's programs. A
 * stack in which no module is known cannot be judged and passes. Decides at stage stack. Runs in a
 * step of the engine.
 */
#include <cairn/plugin.h>

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum action { ACTION_KEEP = 0, ACTION_DROP = 1 };

struct config {
    struct cairn_list modules; /* of const char * */
    int64_t frames;
    int32_t action;
};

static const char *const actions[] = { "keep", "drop", NULL };

static const struct cairn_option options[] = {
    { .name = "modules",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_REQUIRED | CAIRN_OPTION_LIST | CAIRN_OPTION_NEEDS_STACK,
      .offset = offsetof(struct config, modules),
      .help = "Patterns of the modules' base names or, when they hold a \"/\", of their paths." },
    { .name = "frames",
      .type = CAIRN_OPTION_INTEGER,
      .offset = offsetof(struct config, frames),
      .default_text = "16",
      .min = 1,
      .max = 512,
      .help = "How many frames are looked at, from the one that crashed on." },
    { .name = "action",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config, action),
      .default_text = "keep",
      .choices = actions,
      .help = "keep: only crashes with such a module pass; drop: those with one do not." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static int is_named(const struct config *config, const struct cairn_frame *frame)
{
    const char *const *patterns = config->modules.items;

    for (size_t i = 0; i < config->modules.count; i++) {
        const char *text = strchr(patterns[i], '/') != NULL ? frame->module_path : frame->module;

        if (text != NULL && fnmatch(patterns[i], text, 0) == 0) {
            return 1;
        }
    }
    return 0;
}

/* The first frame in one of the modules, or -1; whether any frame lies in a module at all. */
static int64_t find(const struct config *config, const struct cairn_filter_args *args,
                    int *ret_known)
{
    for (int64_t i = 0; i < config->frames; i++) {
        struct cairn_frame frame = { .size = sizeof(frame) };

        if (!args->host->frame_at(args->host, args->report, (size_t)i, &frame)) {
            return -1;
        }
        *ret_known |= frame.module != NULL;
        if (is_named(config, &frame)) {
            return i;
        }
    }
    return -1;
}

static int decide(void *context, struct cairn_filter_args *args)
{
    const struct config *config = context;
    int known = 0;
    int64_t place = find(config, args, &known);

    if (!known) {
        return CAIRN_PLUGIN_UNSUPPORTED;
    }
    if (place < 0 && config->action == ACTION_KEEP) {
        args->action = CAIRN_DROP;
        snprintf(args->reason, sizeof(args->reason),
                 "none of the modules to keep is among its first %" PRId64 " frames",
                 config->frames);
    } else if (place >= 0 && config->action == ACTION_DROP) {
        args->action = CAIRN_DROP;
        snprintf(args->reason, sizeof(args->reason),
                 "its frame %" PRId64 " lies in one of the modules to drop", place);
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_filter_ops ops = {
    .size = sizeof(ops),
    .flags = CAIRN_STAGE_STACK,
    .create = create,
    .decide = decide,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_FILTER),
    .name = "module",
    .version = "1.0.0",
    .summary = "Keeps or drops crashes with certain modules on the stack of the crashed thread.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_FILTER, "module");
