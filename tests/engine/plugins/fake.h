/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fake plugins of the engine's and the sender's tests share: they do what a file tells
 * them at that moment, so that a test changes its mind without changing the configuration. In a
 * step's process.
 */
#ifndef CAIRN_TESTS_ENGINE_FAKE_H
#define CAIRN_TESTS_ENGINE_FAKE_H

#include <cairn/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct config {
    const char *act;   /* the word itself, */
    const char *file;  /* or a file that holds it */
    const char *log;   /* a line is added per call */
    const char *token; /* must never be seen outside */
    int32_t stack, report;
};

static const struct cairn_option options[] = {
    { .name = "act", .type = CAIRN_OPTION_STRING, .offset = offsetof(struct config, act) },
    { .name = "file", .type = CAIRN_OPTION_PATH, .offset = offsetof(struct config, file) },
    { .name = "log", .type = CAIRN_OPTION_PATH, .offset = offsetof(struct config, log) },
    { .name = "token", .type = CAIRN_OPTION_SECRET, .offset = offsetof(struct config, token) },
    { .name = "stack",
      .type = CAIRN_OPTION_BOOL,
      .flags = CAIRN_OPTION_NEEDS_STACK,
      .offset = offsetof(struct config, stack) },
    { .name = "report",
      .type = CAIRN_OPTION_BOOL,
      .flags = CAIRN_OPTION_NEEDS_REPORT,
      .offset = offsetof(struct config, report) },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config;
    return CAIRN_PLUGIN_OK;
}

static void write_log(const struct config *config, const char *line)
{
    FILE *file = config->log != NULL ? fopen(config->log, "a") : NULL;

    if (file != NULL) {
        fprintf(file, "%s\n", line);
        fclose(file);
    }
}

/* What to do; what ends or never returns is done at once. */
static const char *what(const struct config *config)
{
    static char word[64];
    FILE *file = config->file != NULL ? fopen(config->file, "r") : NULL;

    snprintf(word, sizeof(word), "%s", config->act != NULL ? config->act : "");
    if (file != NULL) {
        if (fgets(word, sizeof(word), file) == NULL) {
            word[0] = '\0';
        }
        word[strcspn(word, "\n")] = '\0';
        fclose(file);
    }
    if (strcmp(word, "crash") == 0) {
        abort();
    }
    while (strcmp(word, "hang") == 0) {
        pause();
    }
    return word;
}

/* `kind_` is the kind's name; the file defines the ops. */
#define FAKE_PLUGIN(kind_, name_)                                                                  \
    extern CAIRN_EXPORT const struct cairn_plugin cairn_plugin_entry;                              \
    const struct cairn_plugin cairn_plugin_entry = {                                               \
        CAIRN_PLUGIN_HEAD(kind_),                                                                  \
        .name = name_,                                                                             \
        .version = "1.0",                                                                          \
        .summary = "A fake.",                                                                      \
        .options = options,                                                                        \
        .option_size = sizeof(struct cairn_option),                                                \
        .config_size = sizeof(struct config),                                                      \
        .ops = &ops,                                                                               \
    }

#endif
