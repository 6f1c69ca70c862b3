/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport/breakpad: uploads the minidump as Breakpad's and Crashpad's clients do, for the many
 * collectors that understand them: one multipart POST with prod, ver, further fields and the dump.
 * Runs in a step of the sender.
 */
#include "plugins/transport/common/upload.h"

#include <stdio.h>
#include <string.h>

struct config {
    const char *url, *product, *version, *dump_field, *attachment_prefix;
    struct cairn_map fields; /* to const char * */
    int32_t attachments;
    struct http_options http;
};

static const struct cairn_option options[] = {
    { .name = "url",
      .type = CAIRN_OPTION_URL,
      .flags = CAIRN_OPTION_REQUIRED,
      .offset = offsetof(struct config, url),
      .help = "Where to upload; it may hold a token, which no log shows." },
    { .name = "product",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, product),
      .help = "The field prod; by default the application's name." },
    { .name = "version",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, version),
      .help = "The field ver; by default the application's version." },
    { .name = "fields",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_MAP,
      .offset = offsetof(struct config, fields),
      .help = "Further fields by name; they go before the report's own of the same name." },
    { .name = "dump_field",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, dump_field),
      .default_text = "upload_file_minidump",
      .help = "The name of the part that holds the minidump." },
    { .name = "attachments",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct config, attachments),
      .default_text = "false",
      .help = "Upload the report's other artifacts too, each as a part of its own." },
    { .name = "attachment_prefix",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, attachment_prefix),
      .default_text = "",
      .help = "What goes before an artifact's name to make the name of its part." },
    HTTP_OPTION_ROWS(struct config, http, "none"),
    { .name = NULL },
};

static int check(const struct cairn_host *host, const void *options_)
{
    const struct config *config = options_;
    int status = http_check(host, &config->http);

    for (size_t i = 0; i < config->fields.count; i++) {
        if (!form_name_is_usable(config->fields.keys[i])) {
            status = host->problem(
                host, "fields", "\"%.64s\" cannot name a field: printable ASCII without quotes can",
                config->fields.keys[i]);
        }
    }
    if (!form_name_is_usable(config->dump_field)) {
        status = host->problem(host, "dump_field",
                               "\"%.64s\" cannot name a part: printable ASCII without quotes can",
                               config->dump_field);
    }
    if (config->attachment_prefix[0] != '\0' && !form_name_is_usable(config->attachment_prefix)) {
        status = host->problem(host, "attachment_prefix",
                               "\"%.64s\" cannot begin a part's name: printable ASCII without "
                               "quotes can",
                               config->attachment_prefix);
    }
    return status;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static enum form_found fill(struct form *form, const struct config *config,
                            const struct cairn_transport_args *args)
{
    enum form_found found;

    const char *const *values = config->fields.values;

    form_field(form, "prod", config->product);
    form_field(form, "ver", config->version);
    for (size_t i = 0; i < config->fields.count; i++) {
        form_field(form, config->fields.keys[i], values[i]);
    }
    form_report_field(form, args, "prod", "application.name");
    form_report_field(form, args, "ver", "application.version");
    form_report(form, args);
    found = form_minidump(form, args, config->dump_field);
    if (found == FORM_FOUND && config->attachments) {
        form_attachments(form, args, config->attachment_prefix);
    }
    return found;
}

static int send_report(void *context, struct cairn_transport_args *args)
{
    static const struct verdict_manners manners = { .text_is_id = true };
    const struct config *config = context;
    struct form form = { .parts = NULL };
    enum form_found found = fill(&form, config, args);
    int status = upload_form(args, &config->http, config->url, &form, found, &manners);

    form_finish(&form);
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
    .name = "breakpad",
    .version = "1.0.0",
    .summary = "Uploads minidumps to collectors that Breakpad's and Crashpad's clients use.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_TRANSPORT, "breakpad");
