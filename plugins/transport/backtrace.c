/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport/backtrace: uploads the minidump and its attributes to Backtrace, hosted or one's own
 * listener, under the attribute names that its index knows. Runs in a step of the sender.
 */
#include "config.h"

#include "plugins/transport/common/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_ZLIB
#define COMPRESS_DEFAULT "gzip"
#else
#define COMPRESS_DEFAULT "none"
#endif

#define UNIVERSE_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

struct config {
    const char *url, *host, *universe, *token;
    struct cairn_map fields; /* to const char * */
    int32_t attachments;
    struct http_options http;
};

static const struct cairn_option options[] = {
    { .name = "url",
      .type = CAIRN_OPTION_URL,
      .offset = offsetof(struct config, url),
      .help = "The whole submission URL, or with token: a listener, such as https://host:6098." },
    { .name = "universe",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, universe),
      .help = "Instead of url: the universe at Backtrace's hosted service; token is needed too." },
    { .name = "token",
      .type = CAIRN_OPTION_SECRET,
      .offset = offsetof(struct config, token),
      .help = "The project's submission token." },
    { .name = "host",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, host),
      .default_text = "submit.backtrace.io",
      .help = "The host of the hosted service that universe is at." },
    { .name = "fields",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_MAP,
      .offset = offsetof(struct config, fields),
      .help = "Further attributes by name; they go before the report's own of the same name." },
    { .name = "attachments",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct config, attachments),
      .default_text = "true",
      .help = "Upload the report's other artifacts as attachments." },
    HTTP_OPTION_ROWS(struct config, http, COMPRESS_DEFAULT),
    { .name = NULL },
};

/* ---- where to ---- */

static int check_hosted(const struct cairn_host *host, const struct config *config)
{
    size_t length = strlen(config->universe);

    if (config->url != NULL) {
        return host->problem(host, "universe", "give either universe or url");
    }
    if (config->token == NULL) {
        return host->problem(host, "token", "the universe %s needs a token", config->universe);
    }
    if (length == 0 || strspn(config->universe, UNIVERSE_CHARACTERS) != length) {
        return host->problem(host, "universe", "\"%.64s\" is not the name of a universe",
                             config->universe);
    }
    if (strspn(config->host, UNIVERSE_CHARACTERS ":[]") != strlen(config->host)) {
        return host->problem(host, "host", "\"%.64s\" is not a host", config->host);
    }
    return CAIRN_PLUGIN_OK;
}

/* What is behind the authority: "", "/", "/post?…". */
static const char *path_of(const char *url)
{
    const char *authority = strstr(url, "://");

    authority = authority != NULL ? authority + 3 : url;
    return authority + strcspn(authority, "/?#");
}

static bool asks_for_minidump(const char *path)
{
    const char *query = strchr(path, '?');
    size_t length = strcspn(path, "?#");

    if (query != NULL && strstr(query, "format=") != NULL) {
        return strstr(query, "format=minidump") != NULL;
    }
    return length >= 9 && strncmp(path + length - 9, "/minidump", 9) == 0;
}

/* Backtrace answers a wrong address with 503, as if it were only busy: better said at once. */
static int check_url(const struct cairn_host *host, const struct config *config)
{
    const char *path = path_of(config->url);

    if (config->token != NULL) {
        return strcmp(path, "") == 0 || strcmp(path, "/") == 0
                   ? CAIRN_PLUGIN_OK
                   : host->problem(host, "token",
                                   "with a token the url is host and port alone; else it is whole");
    }
    if (!asks_for_minidump(path)) {
        return host->problem(host, "url",
                             "it must end in /<universe>/<token>/minidump or /post?format=minidump&"
                             "token=<token>, or be used with token");
    }
    return CAIRN_PLUGIN_OK;
}

static int check(const struct cairn_host *host, const void *options_)
{
    const struct config *config = options_;
    int status = http_check(host, &config->http);

    for (size_t i = 0; i < config->fields.count; i++) {
        if (!form_name_is_usable(config->fields.keys[i])) {
            status = host->problem(host, "fields",
                                   "\"%.64s\" cannot name an attribute: printable ASCII without "
                                   "quotes can",
                                   config->fields.keys[i]);
        }
    }
    if (config->token != NULL &&
        strspn(config->token, UNIVERSE_CHARACTERS) != strlen(config->token)) {
        status = host->problem(host, "token", "a token has letters and digits only");
    }
    if (config->universe != NULL) {
        return check_hosted(host, config) != 0 ? CAIRN_PLUGIN_FAILED : status;
    }
    if (config->url == NULL) {
        return host->problem(host, "url", "give url, or universe and token");
    }
    return check_url(host, config) != 0 ? CAIRN_PLUGIN_FAILED : status;
}

/* The submission URL, allocated. */
static char *make_url(const struct config *config)
{
    char *url = NULL;
    int length;

    if (config->universe != NULL && config->token != NULL) {
        length = asprintf(&url, "https://%s/%s/%s/minidump", config->host, config->universe,
                          config->token);
    } else if (config->url != NULL && config->token != NULL) {
        length = asprintf(&url, "%.*s/post?format=minidump&token=%s",
                          (int)(path_of(config->url) - config->url), config->url, config->token);
    } else {
        length = asprintf(&url, "%s", config->url != NULL ? config->url : "");
    }
    return length < 0 ? NULL : url;
}

/* ---- what ---- */

static void add_error(struct form *form, const struct cairn_transport_args *args)
{
    struct cairn_value signal, reason;
    char text[512];

    form_report_field(form, args, "error.message", "crash.message");
    if (args->host->get(args->host, args->report, "crash.signal", &signal) &&
        signal.type == CAIRN_VALUE_STRING &&
        args->host->get(args->host, args->report, "crash.reason", &reason) &&
        reason.type == CAIRN_VALUE_STRING) {
        snprintf(text, sizeof(text), "%s: %s", signal.string, reason.string);
        form_field(form, "error.message", text);
        form_field(form, "error.type", "Crash");
        form_field(form, "classifiers", signal.string);
    }
    form_report_field(form, args, "fault.address", "crash.address");
}

static enum form_found fill(struct form *form, const struct config *config,
                            const struct cairn_transport_args *args)
{
    enum form_found found;

    const char *const *values = config->fields.values;

    for (size_t i = 0; i < config->fields.count; i++) {
        form_field(form, config->fields.keys[i], values[i]);
    }
    form_report_field(form, args, "application", "application.name");
    form_report_field(form, args, "version", "application.version");
    form_report_field(form, args, "application.version", "application.version");
    form_report_field(form, args, "process.id", "crash.pid");
    add_error(form, args);
    form_field(form, "backtrace.agent", "cairn");
    form_field(form, "backtrace.version", "1.0.0");
    form_report(form, args);
    found = form_minidump(form, args, "upload_file_minidump");
    if (found == FORM_FOUND && config->attachments) {
        form_attachments(form, args, "attachment_");
    }
    return found;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static int send_report(void *context, struct cairn_transport_args *args)
{
    static const struct verdict_manners manners = {
        .unavailable_hint =
            " (Backtrace says so too when the universe or the format in the address "
            "is wrong)",
    };
    const struct config *config = context;
    char *url = make_url(config);
    struct form form = { .parts = NULL };
    int status;

    if (url == NULL) {
        return args->host->fail(args->host, "No memory for the submission's address.");
    }
    status = upload_form(args, &config->http, url, &form, fill(&form, config, args), &manners);
    form_finish(&form);
    free(url);
    return status;
}

static const struct cairn_transport_ops ops = {
    .size = sizeof(ops),
    .check = check,
    .create = create,
    .send = send_report,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_TRANSPORT),
    .capabilities = CAIRN_CAP_NETWORK | CAIRN_CAP_PREVIEW,
    .name = "backtrace",
    .version = "1.0.0",
    .summary = "Uploads minidumps and attributes to Backtrace.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_TRANSPORT, "backtrace");
