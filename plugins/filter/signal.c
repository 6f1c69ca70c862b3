/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter/signal: keeps, or drops, the reports of some signals. Decides at stage crash. Runs in a
 * step of the engine. A report without a signal (a dump that was asked for, a silent death) is not
 * this filter's business and always passes.
 */
#include <cairn/plugin.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum mode { MODE_KEEP = 0, MODE_DROP = 1 };

struct config {
    struct cairn_list signals; /* of int32_t */
    int32_t mode;
};

static const char *const modes[] = { "keep", "drop", NULL };

static const struct cairn_option options[] = {
    { .name = "signals",
      .type = CAIRN_OPTION_SIGNAL,
      .flags = CAIRN_OPTION_REQUIRED | CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, signals),
      .help = "The signals that the filter is about, such as [SEGV, ABRT]." },
    { .name = "mode",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config, mode),
      .default_text = "keep",
      .choices = modes,
      .help = "keep: only these signals make a report; drop: all signals but these do." },
    { .name = NULL },
};

static const struct {
    int32_t number;
    const char *name;
} names[] = {
    { SIGHUP, "SIGHUP" },       { SIGINT, "SIGINT" },       { SIGQUIT, "SIGQUIT" },
    { SIGILL, "SIGILL" },       { SIGTRAP, "SIGTRAP" },     { SIGABRT, "SIGABRT" },
    { SIGBUS, "SIGBUS" },       { SIGFPE, "SIGFPE" },       { SIGKILL, "SIGKILL" },
    { SIGUSR1, "SIGUSR1" },     { SIGSEGV, "SIGSEGV" },     { SIGUSR2, "SIGUSR2" },
    { SIGPIPE, "SIGPIPE" },     { SIGALRM, "SIGALRM" },     { SIGTERM, "SIGTERM" },
    { SIGSTKFLT, "SIGSTKFLT" }, { SIGCHLD, "SIGCHLD" },     { SIGCONT, "SIGCONT" },
    { SIGSTOP, "SIGSTOP" },     { SIGTSTP, "SIGTSTP" },     { SIGTTIN, "SIGTTIN" },
    { SIGTTOU, "SIGTTOU" },     { SIGURG, "SIGURG" },       { SIGXCPU, "SIGXCPU" },
    { SIGXFSZ, "SIGXFSZ" },     { SIGVTALRM, "SIGVTALRM" }, { SIGPROF, "SIGPROF" },
    { SIGWINCH, "SIGWINCH" },   { SIGPOLL, "SIGPOLL" },     { SIGPWR, "SIGPWR" },
    { SIGSYS, "SIGSYS" },
};

static int32_t number_of(const char *name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, name) == 0) {
            return names[i].number;
        }
    }
    return 0;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static int decide(void *context, struct cairn_filter_args *args)
{
    const struct config *config = context;
    const int32_t *signals = config->signals.items;
    struct cairn_value value;
    int listed = 0;
    int32_t number;

    if (!args->host->get(args->host, args->report, "crash.signal", &value) ||
        value.type != CAIRN_VALUE_STRING) {
        return CAIRN_PLUGIN_OK;
    }
    number = number_of(value.string);
    for (size_t i = 0; i < config->signals.count; i++) {
        listed |= number != 0 && signals[i] == number;
    }
    if (listed != (config->mode == MODE_KEEP)) {
        args->action = CAIRN_DROP;
        snprintf(args->reason, sizeof(args->reason), "%s is %s list of signals to %s", value.string,
                 listed ? "on the" : "not on the", modes[config->mode]);
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_filter_ops ops = {
    .size = sizeof(ops),
    .flags = CAIRN_STAGE_CRASH,
    .create = create,
    .decide = decide,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_FILTER),
    .name = "signal",
    .version = "1.0.0",
    .summary = "Keeps or drops the reports of some signals.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_FILTER, "signal");
