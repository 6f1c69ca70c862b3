/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter/sample: keeps a share of the reports. The choice follows from the report's id and the seed
 * alone, so it can be explained and repeated. Decides at stage crash. Runs in a step of the engine.
 */
#include <cairn/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct config {
    const char *rate, *seed;
};

static const struct cairn_option options[] = {
    { .name = "rate",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_REQUIRED,
      .offset = offsetof(struct config, rate),
      .help = "The share of reports to keep, from 0 to 1 or in percent: 0.1 or 10%." },
    { .name = "seed",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, seed),
      .default_text = "",
      .help = "Another seed keeps another choice of reports at the same rate." },
    { .name = NULL },
};

/* Digits with at most one point, then perhaps "%": strtod() alone would take "inf" and "0x1p3". */
static int parse_rate(const char *text, double *ret_rate)
{
    size_t plain = strspn(text, "0123456789.");
    char *end;
    double rate;

    if (plain == 0 || (text[plain] != '\0' && strcmp(text + plain, "%") != 0)) {
        return -1;
    }
    rate = strtod(text, &end);
    if (end != text + plain) {
        return -1;
    }
    rate = *end == '%' ? rate / 100 : rate;
    if (rate < 0 || rate > 1) {
        return -1;
    }
    *ret_rate = rate;
    return 0;
}

/* Where in [0, 1) the report stands: FNV-1a, finished as SplitMix64 does so that ids which differ
 * in a few bits spread evenly. */
static double place_of(const char *seed, const char *id)
{
    const char *parts[2] = { seed, id };
    uint64_t hash = 0xcbf29ce484222325ull;

    for (size_t part = 0; part < 2; part++) {
        for (const char *c = parts[part]; *c != '\0'; c++) {
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3ull;
        }
    }
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ull;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebull;
    hash ^= hash >> 31;
    return (double)(hash >> 11) / (double)(1ull << 53);
}

static int check(const struct cairn_host *host, const void *options_)
{
    const struct config *config = options_;
    double rate;

    if (parse_rate(config->rate, &rate) != 0) {
        return host->problem(host, "rate",
                             "\"%s\" is neither a number from 0 to 1 nor a percentage up to 100%%",
                             config->rate);
    }
    return CAIRN_PLUGIN_OK;
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
    struct cairn_value id;
    double rate, place;

    if (parse_rate(config->rate, &rate) != 0) {
        return args->host->fail(args->host, "The rate \"%s\" cannot be read.", config->rate);
    }
    if (!args->host->get(args->host, args->report, "id", &id) || id.type != CAIRN_VALUE_STRING) {
        return CAIRN_PLUGIN_UNSUPPORTED;
    }
    place = place_of(config->seed != NULL ? config->seed : "", id.string);
    if (place >= rate) {
        args->action = CAIRN_DROP;
        snprintf(args->reason, sizeof(args->reason),
                 "sampling keeps %g %% of the reports and this one stands at %.2f %%", rate * 100,
                 place * 100);
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_filter_ops ops = {
    .size = sizeof(ops),
    .flags = CAIRN_STAGE_CRASH,
    .check = check,
    .create = create,
    .decide = decide,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_FILTER),
    .name = "sample",
    .version = "1.0.0",
    .summary = "Keeps a share of the reports, chosen by their ids.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_FILTER, "sample");
