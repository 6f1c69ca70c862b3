/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the JSON Schema; see schema.h. Draft 7, which editors know best. Tools. */
#include "core/config/schema.h"

#include "core/config/internal.h"

#include <string.h>

/* Any scalar may be a substitution instead of what its type says. */
#define SUBSTITUTION "\\\\$\\\\{[^}]*\\\\}"

struct printer {
    struct buf *out;
    unsigned depth;
    bool first; /* nothing is in the current object or list yet */
};

/* ---- JSON ---------------------------------------------------------------------------------- */

static void new_line(const struct printer *p)
{
    buf_text(p->out, "\n");
    for (unsigned i = 0; i < p->depth; i++) {
        buf_text(p->out, "  ");
    }
}

/* The next item, with its key unless that is NULL. */
static void key(struct printer *p, const char *name)
{
    buf_text(p->out, p->first ? "" : ",");
    p->first = false;
    new_line(p);
    if (name != NULL) {
        config_json_text(p->out, name);
        buf_text(p->out, ": ");
    }
}

static void begin(struct printer *p, const char *name, const char *bracket)
{
    key(p, name);
    buf_text(p->out, bracket);
    p->depth++;
    p->first = true;
}

static void end(struct printer *p, const char *bracket)
{
    p->depth--;
    p->first = false;
    new_line(p);
    buf_text(p->out, bracket);
}

static void text(struct printer *p, const char *name, const char *value)
{
    key(p, name);
    config_json_text(p->out, value);
}

static void raw(struct printer *p, const char *name, const char *value)
{
    key(p, name);
    buf_text(p->out, value);
}

/* ---- One option ---------------------------------------------------------------------------- */

static void print_choices(struct printer *p, const char *const *choices)
{
    begin(p, "anyOf", "[");
    begin(p, NULL, "{");
    begin(p, "enum", "[");
    for (; *choices != NULL; choices++) {
        key(p, NULL);
        config_json_text(p->out, *choices);
    }
    end(p, "]");
    end(p, "}");
    begin(p, NULL, "{");
    raw(p, "pattern", "\"" SUBSTITUTION "\"");
    end(p, "}");
    end(p, "]");
}

static void print_integer(struct printer *p, const struct cairn_option *option)
{
    raw(p, "type", "[\"integer\", \"string\"]");
    if (option->min != 0 || option->max != 0) {
        key(p, "minimum");
        buf_printf(p->out, "%lld", (long long)option->min);
        key(p, "maximum");
        buf_printf(p->out, "%lld", (long long)option->max);
    }
}

/* What one value must look like. */
static void print_type(struct printer *p, const struct cairn_option *option)
{
    switch (option->type) {
    case CAIRN_OPTION_BOOL:
        raw(p, "enum", "[true, false, \"true\", \"false\"]");
        break;
    case CAIRN_OPTION_INTEGER:
        print_integer(p, option);
        break;
    case CAIRN_OPTION_DOUBLE:
        raw(p, "type", "[\"number\", \"string\"]");
        break;
    case CAIRN_OPTION_SIZE:
        raw(p, "type", "\"string\"");
        raw(p, "pattern", "\"^[0-9]+(B|kB|KiB|MB|MiB|GB|GiB)$|" SUBSTITUTION "\"");
        break;
    case CAIRN_OPTION_DURATION:
        raw(p, "type", "\"string\"");
        raw(p, "pattern", "\"^[0-9]+(us|ms|s|m|h|d)$|" SUBSTITUTION "\"");
        break;
    case CAIRN_OPTION_ENUM:
        print_choices(p, option->choices);
        break;
    case CAIRN_OPTION_SIGNAL:
        raw(p, "type", "\"string\"");
        raw(p, "pattern", "\"^(SIG)?[A-Z0-9]+$|" SUBSTITUTION "\"");
        break;
    case CAIRN_OPTION_URL:
        raw(p, "type", "\"string\"");
        raw(p, "pattern", "\"^[Hh][Tt][Tt][Pp][Ss]?://|" SUBSTITUTION "\"");
        break;
    default:
        /* YAML's own numbers are text to Cairn. */
        raw(p, "type", "[\"string\", \"number\", \"boolean\"]");
    }
}

static void print_option(struct printer *p, const struct cairn_option *option)
{
    bool is_list = (option->flags & CAIRN_OPTION_LIST) != 0;
    bool is_map = (option->flags & CAIRN_OPTION_MAP) != 0;

    begin(p, option->name, "{");
    if (option->help != NULL) {
        text(p, "description", option->help);
    }
    if (option->default_text != NULL) {
        text(p, "default", option->default_text);
    }
    if (is_list || is_map) {
        text(p, "type", is_list ? "array" : "object");
        begin(p, is_list ? "items" : "additionalProperties", "{");
    }
    print_type(p, option);
    if (is_list || is_map) {
        end(p, "}");
    }
    end(p, "}");
}

/* ---- Tables -------------------------------------------------------------------------------- */

static void print_required(struct printer *p, const struct cairn_option *options)
{
    bool any = false;

    for (const struct cairn_option *o = options; o != NULL && o->name != NULL; o++) {
        if ((o->flags & CAIRN_OPTION_REQUIRED) != 0) {
            if (!any) {
                begin(p, "required", "[");
            }
            any = true;
            key(p, NULL);
            config_json_text(p->out, o->name);
        }
    }
    if (any) {
        end(p, "]");
    }
}

static void print_options(struct printer *p, const struct cairn_option *options)
{
    for (const struct cairn_option *o = options; o != NULL && o->name != NULL; o++) {
        print_option(p, o);
    }
}

static void begin_map(struct printer *p, const char *name, const char *description)
{
    begin(p, name, "{");
    if (description != NULL) {
        text(p, "description", description);
    }
    text(p, "type", "object");
    raw(p, "additionalProperties", "false");
    begin(p, "properties", "{");
}

static void end_map(struct printer *p)
{
    end(p, "}");
    end(p, "}");
}

static void print_table(struct printer *p, const char *name, const char *description,
                        const struct cairn_option *options)
{
    begin_map(p, name, description);
    print_options(p, options);
    end_map(p);
}

/* ---- Instances ----------------------------------------------------------------------------- */

/* What an instance of one plugin looks like; the common keys refer to their definition. */
static void print_plugin(struct printer *p, const struct config_schema_plugin *plugin)
{
    begin(p, NULL, "{");
    text(p, "title", plugin->name);
    if (plugin->summary != NULL) {
        text(p, "description", plugin->summary);
    }
    raw(p, "additionalProperties", "false");
    begin(p, "properties", "{");
    begin(p, "plugin", "{");
    text(p, "const", plugin->name);
    end(p, "}");
    for (const char *const *k = config_common_keys + 1; *k != NULL; k++) {
        begin(p, *k, "{");
        key(p, "$ref");
        buf_printf(p->out, "\"#/definitions/common/properties/%s\"", *k);
        end(p, "}");
    }
    print_options(p, plugin->options);
    end(p, "}");
    print_required(p, plugin->options);
    end(p, "}");
}

/* A layer above another may say only what changes: without "plugin" anything goes. */
static void print_kind(struct printer *p, enum cairn_kind kind,
                       const struct config_schema_plugin *plugins, size_t count)
{
    begin(p, config_kind(kind), "{");
    raw(p, "type", "[\"object\", \"null\"]");
    begin(p, "if", "{");
    raw(p, "required", "[\"plugin\"]");
    end(p, "}");
    begin(p, "then", "{");
    begin(p, "oneOf", "[");
    for (size_t i = 0; i < count; i++) {
        if (plugins[i].kind == kind) {
            print_plugin(p, &plugins[i]);
        }
    }
    end(p, "]");
    end(p, "}");
    end(p, "}");
}

static void print_section(struct printer *p, enum cairn_kind kind)
{
    begin(p, config_section(kind), "{");
    text(p, "type", "object");
    begin(p, "propertyNames", "{");
    text(p, "pattern", "^[a-z0-9][a-z0-9_-]{0,63}$");
    end(p, "}");
    begin(p, "additionalProperties", "{");
    key(p, "$ref");
    buf_printf(p->out, "\"#/definitions/%s\"", config_kind(kind));
    end(p, "}");
    end(p, "}");
}

/* ---- The whole ----------------------------------------------------------------------------- */

static void print_engine(struct printer *p)
{
    begin_map(p, "engine", "Where reports lie, what is reported, limits and clocks.");
    print_options(p, config_engine_options);
    print_table(p, "limits", "Of one application's reports, and of engines.",
                config_limits_options);
    print_table(p, "clocks", "None of which a crash waits longer for.", config_clocks_options);
    end_map(p);
}

static void print_match(struct printer *p)
{
    static const char *const keys[] = { "exe", "user", "application" };

    begin_map(p, "match", "Which crashes take this pipeline; without it every crash does.");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        begin(p, keys[i], "{");
        raw(p, "type", "[\"string\", \"array\"]");
        raw(p, "items", "{ \"type\": \"string\" }");
        end(p, "}");
    }
    end_map(p);
}

static void print_pipeline(struct printer *p)
{
    begin(p, "pipeline", "{");
    raw(p, "type", "[\"object\", \"null\"]");
    raw(p, "additionalProperties", "false");
    begin(p, "properties", "{");
    print_match(p);
    for (int kind = CAIRN_KIND_FILTER; kind <= CAIRN_KIND_TRANSPORT; kind++) {
        begin(p, config_section(kind), "{");
        raw(p, "type", "[\"array\", \"null\"]");
        raw(p, "items", "{ \"type\": \"string\" }");
        raw(p, "uniqueItems", "true");
        end(p, "}");
    }
    end_map(p);
}

static void print_top(struct printer *p)
{
    begin(p, "properties", "{");
    raw(p, "version", "{ \"enum\": [1, \"1\"] }");
    raw(p, "layers",
        "{ \"enum\": [\"none\", \"merge\"], \"description\": \"Of a program's own file: "
        "whether the installed configuration lies beneath it.\" }");
    print_table(p, "application", "The program's name and version.", config_application_options);
    print_engine(p);
    print_table(p, "consent", "What counts as a yes, see cairn consent.", config_consent_options);
    for (int kind = CAIRN_KIND_FILTER; kind <= CAIRN_KIND_TRANSPORT; kind++) {
        print_section(p, kind);
    }
    begin(p, "pipelines", "{");
    text(p, "description", "The first whose match fits a crash is taken.");
    raw(p, "type", "\"object\"");
    raw(p, "additionalProperties", "{ \"$ref\": \"#/definitions/pipeline\" }");
    end(p, "}");
    end(p, "}");
}

void config_schema(const struct config_schema_plugin *plugins, size_t count, struct buf *out)
{
    struct printer printer = { .out = out, .depth = 1, .first = true }, *p = &printer;

    buf_text(out, "{");
    text(p, "$schema", "http://json-schema.org/draft-07/schema#");
    text(p, "title", "Cairn's configuration, version 1");
    raw(p, "type", "\"object\"");
    raw(p, "additionalProperties", "false");
    print_top(p);
    begin(p, "definitions", "{");
    print_table(p, "common", "Keys of every instance.", config_common_options);
    for (int kind = CAIRN_KIND_FILTER; kind <= CAIRN_KIND_TRANSPORT; kind++) {
        print_kind(p, kind, plugins, count);
    }
    print_pipeline(p);
    end(p, "}");
    buf_text(out, "\n}\n");
}
