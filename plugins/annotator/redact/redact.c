/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotator/redact: replaces what must not leave the machine in the texts of a report: attributes
 * of the program and of the annotators before it, the message, breadcrumbs, attached files of text.
 * So it comes last. What it replaces is kept out of the minidump by the writer. Runs in a step of
 * the engine.
 */
#include "plugins/annotator/redact/patterns.h"
#include "plugins/common/fd.h"

#include <cairn/plugin.h>

#include <errno.h>
#include <fnmatch.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_REGEXES 32
#define MAX_TEXT    65536 /* what an attribute can hold */
#define CUSTOM_NAME "redacted"
#define MAX_WITH    256
#define MAX_ITEMS   4096 /* of one kind: a bound on every loop */
#define MAX_FILE    (16u << 20)

struct config {
    struct cairn_list patterns;   /* of int32_t, enum pattern */
    struct cairn_list regex;      /* of const char * */
    struct cairn_list attributes; /* of const char * */
    const char *with;
};

static const struct cairn_option options[] = {
    { .name = "patterns",
      .type = CAIRN_OPTION_ENUM,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, patterns),
      .choices = pattern_names,
      .help = "Known patterns: bearer-token also takes JSON web tokens; credit-card numbers count "
              "only with a right check digit." },
    { .name = "regex",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, regex),
      .help = "Extended regular expressions of POSIX; what they match is replaced." },
    { .name = "attributes",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, attributes),
      .help = "Patterns of the names of the attributes to look at; without it all of them." },
    { .name = "with",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, with),
      .help =
          "What stands there instead; without it the pattern's name, as [email] or [redacted]." },
    { .name = NULL },
};

struct redact {
    const struct config *config;
    regex_t regexes[MAX_REGEXES];
    size_t regex_count;
    size_t places, texts; /* what was replaced so far */
};

/* ---- Options ---- */

static int check_regex(const struct cairn_host *host, const char *text)
{
    regex_t regex;
    char why[128];
    int result = regcomp(&regex, text, REG_EXTENDED | REG_NEWLINE);

    if (result != 0) {
        regerror(result, &regex, why, sizeof(why));
        return host->problem(host, "regex", "\"%.100s\" is no regular expression: %s", text, why);
    }
    result = regexec(&regex, "", 0, NULL, 0);
    regfree(&regex);
    return result == 0 ? host->problem(host, "regex",
                                       "\"%.100s\" matches the empty text, so it would match "
                                       "everywhere",
                                       text)
                       : CAIRN_PLUGIN_OK;
}

static int check(const struct cairn_host *host, const void *options_)
{
    const struct config *config = options_;
    const char *const *texts = config->regex.items;
    int status = CAIRN_PLUGIN_OK;

    if (config->patterns.count + config->regex.count == 0) {
        return host->problem(host, "patterns", "nothing to look for: give patterns or regex");
    }
    if (config->regex.count > MAX_REGEXES) {
        return host->problem(host, "regex", "%zu expressions are more than %d", config->regex.count,
                             MAX_REGEXES);
    }
    for (size_t i = 0; i < config->regex.count; i++) {
        status |= check_regex(host, texts[i]);
    }
    if (config->with != NULL && strlen(config->with) > MAX_WITH) {
        status |= host->problem(host, "with", "it is longer than %d bytes", MAX_WITH);
    }
    return status == 0 ? CAIRN_PLUGIN_OK : CAIRN_PLUGIN_FAILED;
}

static void destroy(void *context)
{
    struct redact *redact = context;

    for (size_t i = 0; i < redact->regex_count; i++) {
        regfree(&redact->regexes[i]);
    }
    free(redact);
}

static int create(const struct cairn_host *host, const void *options_, void **ret_context)
{
    const struct config *config = options_;
    const char *const *texts = config->regex.items;
    struct redact *redact = calloc(1, sizeof(*redact));

    if (redact == NULL) {
        return host->fail(host, "There is no memory.");
    }
    redact->config = config;
    for (size_t i = 0; i < config->regex.count && i < MAX_REGEXES; i++) {
        if (regcomp(&redact->regexes[i], texts[i], REG_EXTENDED | REG_NEWLINE) != 0) {
            destroy(redact);
            return host->fail(host, "The expression \"%.100s\" cannot be used.", texts[i]);
        }
        redact->regex_count++;
    }
    *ret_context = redact;
    return CAIRN_PLUGIN_OK;
}

/* ---- Replacing ---- */

struct output {
    FILE *stream;
    size_t places;
};

static void put_instead(const struct redact *redact, struct output *output, const char *name)
{
    output->places++;
    if (redact->config->with != NULL) {
        fputs(redact->config->with, output->stream);
    } else {
        fprintf(output->stream, "[%s]", name);
    }
}

/* The longest match of any chosen pattern at text[at]; 0 for none. */
static size_t match(const struct config *config, const char *text, size_t at,
                    enum pattern *ret_pattern, size_t *ret_keep)
{
    const int32_t *patterns = config->patterns.items;
    size_t longest = 0, keep;

    for (size_t i = 0; i < config->patterns.count; i++) {
        size_t bytes = pattern_match((enum pattern)patterns[i], text, at, &keep);

        if (bytes > longest) {
            longest = bytes;
            *ret_pattern = (enum pattern)patterns[i];
            *ret_keep = keep;
        }
    }
    return longest;
}

static void replace_patterns(const struct redact *redact, const char *text, struct output *output)
{
    size_t at = 0;

    while (text[at] != '\0') {
        enum pattern pattern = PATTERNS;
        size_t keep = 0, bytes = match(redact->config, text, at, &pattern, &keep);

        if (bytes == 0) {
            fputc(text[at++], output->stream);
            continue;
        }
        fwrite(text + at, 1, keep, output->stream);
        put_instead(redact, output, pattern_names[pattern]);
        at += bytes;
    }
}

/* 0, or -1: no memory to find what there may be. */
static int replace_regex(const struct redact *redact, const regex_t *regex, const char *text,
                         struct output *output)
{
    regmatch_t found;
    int flags = 0, result = 0;

    while (*text != '\0' && (result = regexec(regex, text, 1, &found, flags)) == 0) {
        fwrite(text, 1, (size_t)found.rm_so, output->stream);
        text += found.rm_eo;
        if (found.rm_eo > found.rm_so) {
            put_instead(redact, output, CUSTOM_NAME);
        } else if (*text != '\0') { /* an empty match hides nothing, and must not be found again */
            fputc(*text++, output->stream);
        } else {
            break;
        }
        flags = text[-1] == '\n' ? 0 : REG_NOTBOL;
    }
    fputs(text, output->stream);
    return result == 0 || result == REG_NOMATCH ? 0 : -1;
}

/* One pass over `text`, with the named patterns (regex NULL) or one expression. The caller frees
 * the result; NULL: no memory. */
static char *pass(struct redact *redact, const regex_t *regex, const char *text, size_t *places)
{
    struct output output = { .places = 0 };
    char *result = NULL;
    size_t bytes;
    int failed = 0;

    output.stream = open_memstream(&result, &bytes);
    if (output.stream == NULL) {
        return NULL;
    }
    if (regex != NULL) {
        failed = replace_regex(redact, regex, text, &output);
    } else {
        replace_patterns(redact, text, &output);
    }
    *places += output.places;
    failed |= ferror(output.stream);
    if (fclose(output.stream) != 0 || failed) {
        free(result);
        return NULL;
    }
    return result;
}

/* 1 and a new text when something was replaced; 0 when not; -1 without memory. What has grown too
 * long for its place loses its end. */
static int redact_text(struct redact *redact, const char *text, size_t limit, char **ret_text)
{
    size_t places = 0;
    char *now = pass(redact, NULL, text, &places);

    for (size_t i = 0; now != NULL && i < redact->regex_count; i++) {
        char *next = pass(redact, &redact->regexes[i], now, &places);

        free(now);
        now = next;
    }
    if (now == NULL || places == 0) {
        free(now);
        return now == NULL ? -1 : 0;
    }
    if (strlen(now) > limit) {
        now[limit] = '\0';
    }
    redact->places += places;
    redact->texts++;
    *ret_text = now;
    return 1;
}

/* ---- The report's texts ---- */

static int is_chosen(const struct config *config, const char *name)
{
    const char *const *patterns = config->attributes.items;

    for (size_t i = 0; i < config->attributes.count; i++) {
        if (fnmatch(patterns[i], name, 0) == 0) {
            return 1;
        }
    }
    return config->attributes.count == 0;
}

static int redact_attributes(struct redact *redact, const struct cairn_annotator_args *args)
{
    const struct cairn_host *host = args->host;
    struct cairn_value value;
    const char *name;
    int status = 0;

    for (size_t i = 0; i < MAX_ITEMS && host->attribute_at(host, args->report, i, &name, &value);
         i++) {
        char *text = NULL;
        int changed = value.type == CAIRN_VALUE_STRING && is_chosen(redact->config, name)
                          ? redact_text(redact, value.string, MAX_TEXT, &text)
                          : 0;

        status |= changed > 0 ? host->set_string(host, name, text) : changed;
        free(text);
    }
    return status;
}

static int redact_message(struct redact *redact, const struct cairn_annotator_args *args,
                          const struct cairn_texts_service *texts)
{
    const struct cairn_host *host = args->host;
    struct cairn_value value;
    char *text = NULL;
    int status;

    if (!host->get(host, args->report, "crash.message", &value) ||
        value.type != CAIRN_VALUE_STRING) {
        return 0;
    }
    status = redact_text(redact, value.string, CAIRN_TEXTS_MAX_BYTES, &text);
    status = status > 0 ? texts->set_message(host, text) : status;
    free(text);
    return status;
}

static int redact_breadcrumbs(struct redact *redact, const struct cairn_annotator_args *args,
                              const struct cairn_texts_service *texts)
{
    const struct cairn_host *host = args->host;
    struct cairn_breadcrumb crumb = { .size = sizeof(crumb) };
    int status = 0;

    for (size_t i = 0; i < MAX_ITEMS && host->breadcrumb_at(host, args->report, i, &crumb); i++) {
        char *text = NULL;
        int changed = crumb.message != NULL
                          ? redact_text(redact, crumb.message, CAIRN_TEXTS_MAX_BYTES, &text)
                          : 0;

        status |= changed > 0 ? texts->set_breadcrumb(host, i, text) : changed;
        free(text);
        crumb = (struct cairn_breadcrumb){ .size = sizeof(crumb) };
    }
    return status;
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    struct redact *redact = context;
    const struct cairn_host *host = args->host;
    const struct cairn_texts_service *texts = host->service(host, CAIRN_SERVICE_TEXTS);
    int status = redact_attributes(redact, args);

    if (texts != NULL) {
        status |= redact_message(redact, args, texts);
        status |= redact_breadcrumbs(redact, args, texts);
    }
    if (status != 0) {
        return host->fail(host, "Not every text could be replaced, so none was.");
    }
    if (redact->places > 0) {
        host->log(host, CAIRN_LOG_INFO, "%zu places in %zu texts were replaced.", redact->places,
                  redact->texts);
    }
    return CAIRN_PLUGIN_OK;
}

/* ---- Attached files ---- */

/* The whole file as a text, freed by the caller; NULL when it cannot be read. */
static char *read_file(int fd, size_t *ret_bytes)
{
    struct stat status;
    char *text =
        fstat(fd, &status) == 0 && status.st_size >= 0 && (uint64_t)status.st_size <= MAX_FILE
            ? malloc((size_t)status.st_size + 1)
            : NULL;
    ssize_t bytes = text != NULL ? fd_read(fd, text, (size_t)status.st_size, 0) : -1;

    if (bytes < 0) {
        free(text);
        return NULL;
    }
    text[bytes] = '\0';
    *ret_bytes = (size_t)bytes;
    return text;
}

/* Nothing that only programs write. NULs are what a log has where it was cut while it was open. */
static int is_text(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < ' ' && c != '\0' && c != '\033' && (c < '\b' || c > '\r')) {
            return 0;
        }
    }
    return 1;
}

/* One piece without a NUL, which is behind its end; 1 when something in it was replaced, -1 when it
 * cannot be looked through or written. */
static int redact_piece(struct redact *redact, int to, const char *piece)
{
    char *clean = NULL;
    int changed = redact_text(redact, piece, SIZE_MAX, &clean);
    const char *now = changed > 0 ? clean : piece;
    int result = changed < 0 || fd_write(to, now, strlen(now)) != 0 ? -1 : changed;

    free(clean);
    return result;
}

static int redact_file(struct redact *redact, int to, const char *text, size_t bytes)
{
    int changed = 0;

    for (size_t at = 0; at < bytes;) {
        size_t end = at;
        int result;

        while (end < bytes && text[end] == '\0') {
            end++;
        }
        result = end > at ? fd_write(to, text + at, end - at) : redact_piece(redact, to, text + at);
        if (result < 0) {
            return -1;
        }
        changed |= result;
        at = end > at ? end : at + strlen(text + at);
    }
    return changed;
}

/* As a whole: a match may be anywhere in it. */
static int see_through(void *context, struct cairn_attachment_args *args)
{
    size_t bytes = 0;
    char *text = read_file(args->from, &bytes);
    int changed;

    if (text == NULL) {
        return args->host->fail(args->host, "%s cannot be read.", args->name);
    }
    changed = is_text(text, bytes) ? redact_file(context, args->to, text, bytes) : 0;
    free(text);
    if (changed < 0) {
        return args->host->fail(args->host, "%s cannot be looked through: %s.", args->name,
                                strerror(errno));
    }
    return changed > 0 ? CAIRN_PLUGIN_OK : CAIRN_PLUGIN_UNSUPPORTED;
}

static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops),
    .check = check,
    .create = create,
    .destroy = destroy,
    .annotate = annotate,
    .attachment = see_through,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_ANNOTATOR),
    .capabilities = CAIRN_CAP_REDACTS,
    .name = "redact",
    .version = "1.0.0",
    .summary = "Replaces what must not leave the machine in the report's texts; it comes last.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_ANNOTATOR, "redact");
