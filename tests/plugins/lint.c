/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An annotator with one mistake (-DMISTAKE=…) that `cairn plugin lint` must find; see kit.sh. In a
 * step's process.
 */
#include <cairn/plugin.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Macros, so that the preprocessor can tell them apart, too. */
#define NO_MISTAKE      0
#define LEAK            1
#define DESCRIPTOR      2
#define GLOBAL          3
#define SAME_CONTEXT    4
#define NO_MEMORY       5
#define BORROWED_SYMBOL 6
#define EXPORT          7
#define EMPTY_TEXT      8
#define LONG_TEXT       9
#define SLOW            10
#define NO_HELP         11
#define FORMAT          12
#define LINKED          13

struct config {
    const char *text;
};

#define HELP(text_) (MISTAKE == NO_HELP ? NULL : (text_))

static const struct cairn_option options[] = {
    { .name = "text",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, text),
      .default_text = "some",
      .help = HELP("A text.") },
    { .name = NULL },
};

struct context {
    const struct config *config;
    char text[32];
};

static const struct config *current;
static struct context the_only_one;

#if MISTAKE == EXPORT
CAIRN_EXPORT int helper(void);
int helper(void)
{
    return 1;
}
#endif
#if MISTAKE == BORROWED_SYMBOL
extern const char *config_section(int kind); /* of the host */
char *cJSON_Print(void *);                   /* of a library that only the host has */
#endif
#if MISTAKE == LINKED
const char *cairn_version(void);
#endif

static void copy_text(struct context *context, const char *text)
{
    if (MISTAKE == LONG_TEXT) {
        char small[16];
        volatile char *to = small;
        for (size_t i = 0; i <= strlen(text); i++) {
            to[i] = text[i];
        }
    }
    strncpy(context->text, text, sizeof(context->text) - 1);
}

/* What outlives the instance. */
static void leave_behind(struct context *context, const struct config *config)
{
    if (MISTAKE == LEAK) {
        *(void *volatile *)&context->config = malloc(64);
    }
    if (MISTAKE == DESCRIPTOR) {
        open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    if (MISTAKE == GLOBAL) {
        *(const struct config *volatile *)&current = config;
    }
}

/* Calls what only the host has, or another library that is linked; false where that is odd. */
static int borrow(void)
{
#if MISTAKE == BORROWED_SYMBOL
    return cJSON_Print(NULL) == NULL;
#elif MISTAKE == LINKED
    return cairn_version() != NULL;
#else
    return 1;
#endif
}

static int create(const struct cairn_host *host, const void *config_given, void **ret_context)
{
    const struct config *config = config_given;
    struct context *context = MISTAKE == SAME_CONTEXT ? &the_only_one : malloc(sizeof(*context));

    if (context == NULL && MISTAKE != NO_MEMORY) {
        return host->fail(host, "There is no memory.");
    }
    memset((void *)(volatile void *)context, 0, sizeof(*context));
    context->config = config;
    copy_text(context, config->text);
    leave_behind(context, config);
    if (MISTAKE == EMPTY_TEXT && 100 / (int)strlen(config->text) == 0) {
        return CAIRN_PLUGIN_FAILED;
    }
    if (MISTAKE == FORMAT) {
        host->note(host, config->text); /* as a format */
    }
    if (!borrow()) {
        return CAIRN_PLUGIN_FAILED;
    }
    *ret_context = context;
    return CAIRN_PLUGIN_OK;
}

static void destroy(void *context)
{
    if (context != &the_only_one) {
        free(context);
    }
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    if (MISTAKE == SLOW) {
        sleep(60);
    }
    return args->host->set_string(args->host, "lint", "fine");
}

static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops), .create = create, .destroy = destroy, .annotate = annotate
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_ANNOTATOR),
    .name = "lint",
    .version = "1.0",
    .summary = "Has a mistake.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};
