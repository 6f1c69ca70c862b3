/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The merged tree as YAML again: for the copy beside a report, which must not depend on layers, and
 * for people, without secrets. Engine, tools.
 */
#include "core/config/internal.h"

#include "core/util/text.h"

#include <stdio.h>
#include <string.h>

#define ORIGIN_COLUMN 48

struct emission {
    const struct config *config;
    struct buf *out;
    bool hide, origin;
    size_t line; /* where the current line begins in `out` */
};

/* ---- What a value is ----------------------------------------------------------------------- */

/* The instance whose option a node is, or an element of it; with the option, if it is known. */
static const struct config_instance *owner_of(const struct config *config,
                                              const struct config_node *node,
                                              const struct cairn_option **ret_option)
{
    *ret_option = NULL;
    for (const struct config_node *n = node; n != NULL && n->parent != NULL; n = n->parent) {
        for (size_t i = 0; i < config->instance_count; i++) {
            const struct config_instance *instance = &config->instances[i];
            const struct cairn_option *option = instance->table;

            if (instance->node != n->parent) {
                continue;
            }
            for (; option != NULL && option->name != NULL; option++) {
                if (strcmp(option->name, n->key) == 0) {
                    *ret_option = option;
                }
            }
            return instance;
        }
    }
    return NULL;
}

static bool is_path(const struct config *config, const struct config_node *node)
{
    const struct cairn_option *option;

    if (owner_of(config, node, &option) != NULL) {
        return option != NULL && option->type == CAIRN_OPTION_PATH;
    }
    return node->parent != NULL && node->key != NULL && strcmp(node->key, "spool") == 0 &&
           node->parent->key != NULL && strcmp(node->parent->key, "engine") == 0;
}

/* Whether a value must not be shown: of a type that holds secrets, or of an instance that may send
 * them and whose options nobody knows. A reference to a file or variable holds no secret. */
static bool is_hidden(const struct config *config, const struct config_node *node)
{
    const struct cairn_option *option;
    const struct config_instance *owner = owner_of(config, node, &option);
    const char *text = node->written != NULL ? node->written : node->text;

    if (owner == NULL || config_is_common_key(node->key) ||
        (text != NULL && config_is_reference(text))) {
        return false;
    }
    if (option == NULL) {
        return owner->table == NULL && owner->kind >= CAIRN_KIND_HOOK;
    }
    return option->type == CAIRN_OPTION_SECRET || option->type == CAIRN_OPTION_URL;
}

/* ---- Scalars ------------------------------------------------------------------------------- */

/* Whether YAML reads the text back as it is without quotes, whatever stands around it. */
static bool is_plain(const char *text)
{
    static const char safe[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_.+-";

    return text[0] != '\0' && strchr("_.+-", text[0]) == NULL && text[strspn(text, safe)] == '\0';
}

/* YAML would read these as line breaks, or not at all. */
static bool is_break(uint32_t code)
{
    return code < 0xa0 || code == 0x2028 || code == 0x2029 || code == 0xfeff;
}

static void emit_quoted(struct buf *out, const char *text)
{
    size_t length = strlen(text);
    uint32_t code = 0;

    buf_text(out, "\"");
    for (size_t i = 0, step; i < length; i += step) {
        step = text_utf8(text + i, length - i, &code);
        step = step != 0 ? step : 1;
        if (text[i] == '"' || text[i] == '\\') {
            buf_printf(out, "\\%c", text[i]);
        } else if (step == 1 && ((unsigned char)text[i] < ' ' || text[i] == '\x7f')) {
            buf_printf(out, "\\x%02x", (unsigned)(unsigned char)text[i]);
        } else if (step > 1 && is_break(code)) {
            buf_printf(out, "\\u%04x", (unsigned)code);
        } else {
            buf_add(out, text + i, step);
        }
    }
    buf_text(out, "\"");
}

static void emit_text(struct buf *out, const struct config_node *node, const char *text)
{
    struct config_node bare = { .kind = CONFIG_SCALAR, .text = (char *)text };

    /* What means nothing without quotes keeps them, or their absence. */
    if (config_is_null(&bare) ? config_is_null(node) : is_plain(text)) {
        buf_text(out, text);
    } else {
        emit_quoted(out, text);
    }
}

/* A URL's scheme and host, which say where reports go; the rest may be a token. */
static void emit_hidden_url(struct buf *out, const char *text)
{
    const char *host = strstr(text, "://");
    size_t length = host != NULL ? strcspn(host + 3, "/?#") : 0;

    if (host == NULL || memchr(host + 3, '@', length) != NULL || strchr(text, '$') == text) {
        buf_text(out, "(hidden)");
        return;
    }
    buf_printf(out, "%.*s/(hidden)", (int)(host + 3 - text + length), text);
}

/* What is relative starts at the folder of the file that says it. */
static void emit_path(const struct emission *e, const struct config_node *node, const char *text)
{
    const struct config_source *source = config_source_find(e->config->arena, node->position.file);
    char path[8192];

    if (strchr("/~$", text[0]) != NULL || source == NULL || source->folder == NULL) {
        emit_text(e->out, node, text);
        return;
    }
    snprintf(path, sizeof(path), "%s/%s", strcmp(source->folder, "/") == 0 ? "" : source->folder,
             strncmp(text, "./", 2) == 0 ? text + 2 : text);
    emit_text(e->out, node, path);
}

static void emit_scalar(const struct emission *e, const struct config_node *node)
{
    const char *text = node->written != NULL ? node->written : node->text;
    const struct cairn_option *option;

    if (text == NULL) {
        buf_text(e->out, "\"\""); /* an alias, which was refused */
    } else if (e->hide && is_hidden(e->config, node)) {
        owner_of(e->config, node, &option);
        if (option != NULL && option->type == CAIRN_OPTION_URL) {
            emit_hidden_url(e->out, text);
        } else {
            buf_text(e->out, "(hidden)");
        }
    } else if (is_path(e->config, node)) {
        emit_path(e, node, text);
    } else {
        emit_text(e->out, node, text);
    }
}

/* ---- Lines --------------------------------------------------------------------------------- */

static void end_line(struct emission *e, const struct config_node *node)
{
    const struct config_position *position = &node->position;
    size_t used = e->out->bytes - e->line;

    if (e->origin && position->file != NULL) {
        buf_printf(e->out, "%*s# %s:%u", used < ORIGIN_COLUMN ? (int)(ORIGIN_COLUMN - used) : 1, "",
                   position->file, position->line);
    }
    buf_text(e->out, "\n");
    e->line = e->out->bytes;
}

static void indent(const struct emission *e, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        buf_text(e->out, "  ");
    }
}

static void emit_node(struct emission *e, const struct config_node *node, unsigned depth);

static bool is_flat(const struct config_node *list)
{
    for (const struct config_node *n = list->first; n != NULL; n = n->next) {
        if (n->kind == CONFIG_LIST || n->kind == CONFIG_MAP) {
            return false;
        }
    }
    return true;
}

static void emit_flat(struct emission *e, const struct config_node *list)
{
    buf_text(e->out, " [");
    for (const struct config_node *n = list->first; n != NULL; n = n->next) {
        emit_scalar(e, n);
        buf_text(e->out, n->next != NULL ? ", " : "");
    }
    buf_text(e->out, "]");
    end_line(e, list);
}

/* What follows "key:" or "-". */
static void emit_value(struct emission *e, const struct config_node *node, unsigned depth)
{
    if (node->kind == CONFIG_LIST && is_flat(node)) {
        emit_flat(e, node);
    } else if (node->kind == CONFIG_MAP && node->first == NULL) {
        buf_text(e->out, " {}");
        end_line(e, node);
    } else if (node->kind == CONFIG_MAP || node->kind == CONFIG_LIST) {
        buf_text(e->out, "\n");
        e->line = e->out->bytes;
        emit_node(e, node, depth);
    } else {
        buf_text(e->out, " ");
        emit_scalar(e, node);
        end_line(e, node);
    }
}

static void emit_child(struct emission *e, const struct config_node *node, unsigned depth)
{
    indent(e, depth);
    if (node->key == NULL) {
        buf_text(e->out, "-");
    } else if (is_plain(node->key)) {
        buf_printf(e->out, "%s:", node->key);
    } else {
        emit_quoted(e->out, node->key);
        buf_text(e->out, ":");
    }
    emit_value(e, node, depth + 1);
}

static void emit_node(struct emission *e, const struct config_node *node, unsigned depth)
{
    for (const struct config_node *n = node->first; n != NULL; n = n->next) {
        emit_child(e, n, depth);
    }
}

static bool is_top_key(const char *key)
{
    const char *const *top = config_top_keys;

    while (*top != NULL && strcmp(*top, key) != 0) {
        top++;
    }
    return *top != NULL;
}

/* In the order of the manual, whatever the order in which layers brought it in; then what is an
 * error. */
static void emit(struct emission *e)
{
    const struct config_node *root = e->config->root;

    if (root == NULL || root->kind != CONFIG_MAP) {
        return;
    }
    for (const char *const *top = config_top_keys; *top != NULL; top++) {
        const struct config_node *node = config_get(root, *top);

        if (node != NULL) {
            emit_child(e, node, 0);
        }
    }
    for (const struct config_node *n = root->first; n != NULL; n = n->next) {
        if (!is_top_key(n->key)) {
            emit_child(e, n, 0);
        }
    }
}

void config_text(const struct config *config, struct buf *out)
{
    struct emission e = { .config = config, .out = out, .line = out->bytes };

    if (config->layered || config->source == NULL) {
        emit(&e);
    } else {
        buf_add(out, config->source, config->source_bytes);
    }
}

void config_show(const struct config *config, bool origin, struct buf *out)
{
    struct emission e = {
        .config = config, .out = out, .hide = true, .origin = origin, .line = out->bytes
    };

    emit(&e);
}

const char *config_layer(const struct config *config, size_t index)
{
    const struct config_source *source = ((const struct config_arena *)config->arena)->sources;

    for (; source != NULL && index > 0; index--) {
        source = source->next;
    }
    return source != NULL ? source->name : NULL;
}
