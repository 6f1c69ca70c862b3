/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter/ratelimit: keeps at most so many reports of one kind within a period, over restarts of the
 * program: when one was kept is remembered in the instance's state file. The first of a storm are
 * kept, and the newest, which waits for its delivery until the period allows it and gives way to a
 * newer one meanwhile. What was dropped in between is counted and told by the next one that is
 * kept. Without its state it keeps everything. Runs in a step of the engine.
 */
#include "plugins/common/proc.h"
#include "plugins/filter/ratelimit/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum by { BY_SIGNATURE, BY_APPLICATION, BY_USER };

struct config {
    int64_t max;
    uint64_t per;
    int32_t by, newest;
};

static const char *const kinds[] = { "signature", "application", "user", NULL };

static const struct cairn_option options[] = {
    { .name = "max",
      .type = CAIRN_OPTION_INTEGER,
      .offset = offsetof(struct config, max),
      .default_text = "5",
      .min = 1,
      .max = LEDGER_MAX_KEPT,
      .help = "How many reports of one kind are kept within the period." },
    { .name = "per",
      .type = CAIRN_OPTION_DURATION,
      .offset = offsetof(struct config, per),
      .default_text = "1h",
      .min = 1000000,
      .max = INT64_C(31536000) * 1000000,
      .help = "The period, which slides: it ends with the crash that is judged." },
    { .name = "by",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config, by),
      .default_text = "signature",
      .choices = kinds,
      .help = "What makes reports one kind: the same crash, the same program, or the same user." },
    { .name = "newest",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct config, newest),
      .default_text = "true",
      .help =
          "Beyond the limit keep the newest, too: its delivery waits until the period allows it, "
          "and the one after it takes its place." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options and the state file are all there is */
    return CAIRN_PLUGIN_OK;
}

/* FNV-1a of the field that `by` names; reports without it are one kind. */
static uint64_t key_of(const struct cairn_filter_args *args, int32_t by)
{
    static const char *const paths[] = { "signature", "application.name", "process.user" };
    struct cairn_value value;
    uint64_t hash = 0xcbf29ce484222325ull;
    const char *text = "";

    if (args->host->get(args->host, args->report, paths[by], &value) &&
        value.type == CAIRN_VALUE_STRING) {
        text = value.string;
    }
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
    }
    return hash;
}

static void keep(const struct config *config, const struct cairn_filter_args *args,
                 struct ledger_entry *entry, int64_t now)
{
    if (entry->dropped > 0) {
        args->host->note(args->host, "Before this report %" PRIu64 " of the same %s were dropped.",
                         entry->dropped, kinds[config->by]);
        entry->dropped = 0;
    }
    entry->kept[entry->count++] = now;
}

static void drop(const struct config *config, struct cairn_filter_args *args,
                 struct ledger_entry *entry)
{
    entry->dropped++;
    args->action = CAIRN_DROP;
    snprintf(args->reason, sizeof(args->reason),
             "%zu reports of its %s were kept within %" PRIu64 " s, and %" PRIu64
             " are dropped since",
             entry->count, kinds[config->by], config->per / 1000000, entry->dropped);
}

/* It waits until the oldest of those kept leaves the period, in place of the one that waited. */
static void defer(const struct config *config, struct cairn_filter_args *args,
                  struct ledger_entry *entry, int64_t now, const char *id)
{
    int64_t oldest = entry->kept[0];

    for (size_t i = 1; i < entry->count; i++) {
        oldest = entry->kept[i] < oldest ? entry->kept[i] : oldest;
    }
    if (entry->waiting[0] != '\0') {
        snprintf(args->instead_of, sizeof(args->instead_of), "%s", entry->waiting);
        entry->dropped++;
    }
    snprintf(entry->waiting, sizeof(entry->waiting), "%s", id);
    entry->due = oldest + (int64_t)config->per;
    args->defer = entry->due > now ? (uint64_t)(entry->due - now) : 0;
    args->host->note(args->host,
                     "It is the newest beyond %zu of the same %s within %" PRIu64
                     " s, so its delivery waits; %" PRIu64 " before it were dropped.",
                     entry->count, kinds[config->by], config->per / 1000000, entry->dropped);
}

static void judge(const struct config *config, struct cairn_filter_args *args,
                  struct ledger_entry *entry, int64_t now)
{
    struct cairn_value id;
    int named = args->host->get(args->host, args->report, "id", &id) &&
                id.type == CAIRN_VALUE_STRING && strlen(id.string) == LEDGER_ID_BYTES;

    ledger_admit(entry, now);
    ledger_forget(entry, now, (int64_t)config->per);
    entry->latest = now;
    if (entry->count < (size_t)config->max) {
        keep(config, args, entry, now);
    } else if (config->newest && named) {
        defer(config, args, entry, now, id.string);
    } else {
        drop(config, args, entry);
    }
}

static int judge_with(const struct config *config, struct cairn_filter_args *args, int fd,
                      int64_t now)
{
    struct ledger *ledger = malloc(sizeof(*ledger));
    int status = CAIRN_PLUGIN_OK;

    if (ledger == NULL || ledger_read(ledger, fd) != 0) {
        status =
            args->host->fail(args->host, "Its state file cannot be read: %s.", strerror(errno));
    } else {
        judge(config, args, ledger_find(ledger, key_of(args, config->by)), now);
        if (ledger_write(ledger, fd) != 0) {
            status = args->host->fail(args->host, "Its state file cannot be written: %s.",
                                      strerror(errno));
        }
    }
    free(ledger);
    return status;
}

static int decide(void *context, struct cairn_filter_args *args)
{
    const struct config *config = context;
    const struct cairn_host *host = args->host;
    const struct cairn_state_service *state = host->service(host, CAIRN_SERVICE_STATE);
    int64_t now;
    int fd, status;

    if (proc_event_time(host, args->report, &now) != 0 || now < 0) {
        return CAIRN_PLUGIN_UNSUPPORTED;
    }
    fd = state != NULL ? state->open(host) : -1;
    if (fd < 0) {
        return host->fail(host, "Without its state file it cannot limit anything.");
    }
    status = judge_with(config, args, fd, now);
    close(fd);
    return status;
}

static const struct cairn_filter_ops ops = {
    .size = sizeof(ops),
    .flags = CAIRN_STAGE_STACK, /* the signature, which is the default, needs it */
    .create = create,
    .decide = decide,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_FILTER),
    .name = "ratelimit",
    .version = "1.0.0",
    .summary = "Keeps at most so many reports of one kind within a period, over restarts.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_FILTER, "ratelimit");
