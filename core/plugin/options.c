/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin's option table, read from its file's image and made safe: the host writes values at the
 * offsets named here, so each must lie inside the configuration structure, aligned and alone.
 * Engine, sender, tools.
 */
#include "core/plugin/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN_FLAGS                                                                                \
    (CAIRN_OPTION_REQUIRED | CAIRN_OPTION_LIST | CAIRN_OPTION_MAP | CAIRN_OPTION_NEEDS_STACK |     \
     CAIRN_OPTION_NEEDS_REPORT)

static int refuse(const struct elf_image *image, const struct cairn_option *option,
                  struct error *error, const char *why)
{
    return error_set(error, CAIRN_EPLUGIN, "In %s, the option \"%s\" %s.", image->path,
                     option->name, why);
}

/* Bytes and alignment of the value in the configuration structure; 0: no such type. */
static size_t value_bytes(const struct cairn_option *option, size_t *ret_alignment)
{
    size_t bytes;

    switch (option->type) {
    case CAIRN_OPTION_BOOL:
    case CAIRN_OPTION_ENUM:
    case CAIRN_OPTION_SIGNAL:
        bytes = sizeof(int32_t);
        break;
    case CAIRN_OPTION_INTEGER:
    case CAIRN_OPTION_DOUBLE:
    case CAIRN_OPTION_SIZE:
    case CAIRN_OPTION_DURATION:
        bytes = sizeof(int64_t);
        break;
    case CAIRN_OPTION_STRING:
    case CAIRN_OPTION_PATH:
    case CAIRN_OPTION_SECRET:
    case CAIRN_OPTION_URL:
        bytes = sizeof(char *);
        break;
    default:
        return 0;
    }
    *ret_alignment = bytes;
    if ((option->flags & CAIRN_OPTION_LIST) != 0) {
        *ret_alignment = _Alignof(struct cairn_list);
        return sizeof(struct cairn_list);
    }
    if ((option->flags & CAIRN_OPTION_MAP) != 0) {
        *ret_alignment = _Alignof(struct cairn_map);
        return sizeof(struct cairn_map);
    }
    return bytes;
}

static int check_place(const struct elf_image *image, const struct plugin_facts *facts,
                       const struct cairn_option *option, struct error *error)
{
    size_t alignment, ignored;
    size_t bytes = value_bytes(option, &alignment);

    if (bytes == 0) {
        return refuse(image, option, error, "has a type that this Cairn does not know");
    }
    if (option->offset % alignment != 0 || option->offset > facts->config_size ||
        bytes > facts->config_size - option->offset) {
        return refuse(image, option, error,
                      "does not lie, aligned, inside the configuration structure");
    }
    for (const struct cairn_option *other = facts->options; other != option; other++) {
        if (option->offset < other->offset + value_bytes(other, &ignored) &&
            other->offset < option->offset + bytes) {
            return refuse(image, option, error,
                          "lies in the configuration structure where another option lies");
        }
    }
    return 0;
}

static int check_name(const struct elf_image *image, const struct plugin_facts *facts,
                      const struct cairn_option *option, struct error *error)
{
    if (!plugin_is_name(option->name, false)) {
        return refuse(image, option, error, "has a name that is not [a-z][a-z0-9_]*");
    }
    for (const char *const *key = config_common_keys; *key != NULL; key++) {
        if (strcmp(option->name, *key) == 0) {
            return refuse(image, option, error, "has a name that every plugin's settings have");
        }
    }
    for (const struct cairn_option *other = facts->options; other != option; other++) {
        if (strcmp(option->name, other->name) == 0) {
            return refuse(image, option, error, "is declared twice");
        }
    }
    return 0;
}

/* Its value is the name of a capture class. */
static bool names_class(const struct cairn_option *option)
{
    return option->capture != NULL && strcmp(option->capture, "=") == 0;
}

static int check_rules(const struct elf_image *image, const struct cairn_option *option,
                       struct error *error)
{
    bool many = (option->flags & (CAIRN_OPTION_LIST | CAIRN_OPTION_MAP)) != 0;

    if ((option->flags & CAIRN_OPTION_LIST) != 0 && (option->flags & CAIRN_OPTION_MAP) != 0) {
        return refuse(image, option, error, "is a list and a map at once");
    }
    if (many && option->default_text != NULL) {
        return refuse(image, option, error, "has a default, which only single values can have");
    }
    if (option->min > option->max) {
        return refuse(image, option, error, "has a minimum above its maximum");
    }
    if ((option->type == CAIRN_OPTION_ENUM) != (option->choices != NULL)) {
        return refuse(image, option, error, "must have choices if its type is ENUM, and only then");
    }
    if (names_class(option) &&
        (option->type != CAIRN_OPTION_ENUM || (option->flags & CAIRN_OPTION_MAP) != 0)) {
        return refuse(image, option, error, "lets its value name a capture class without ENUM");
    }
    return 0;
}

/* The option's own copy of its choices; `table` lies in the image. */
static int read_choices(const struct elf_image *image, const void *table,
                        struct cairn_option *option, struct error *error)
{
    char what[PLUGIN_MAX_NAME + 32];
    uint64_t address = (uint64_t)(uintptr_t)table;
    char **choices;

    if (table == NULL) {
        return 0;
    }
    choices = calloc(PLUGIN_MAX_CHOICES + 1, sizeof(*choices));
    if (choices == NULL) {
        return error_set(error, CAIRN_ENOMEM, "There is no memory to read %s.", image->path);
    }
    option->choices = (const char *const *)choices;
    snprintf(what, sizeof(what), "a choice of \"%s\"", option->name);
    for (size_t i = 0; i <= PLUGIN_MAX_CHOICES; i++) {
        const void *text;
        if (!elf_copy(image, address + i * sizeof(text), &text, sizeof(text))) {
            return refuse(image, option, error, "has choices outside of the file");
        }
        if (text == NULL) {
            return i > 0 ? 0 : refuse(image, option, error, "has no choices");
        }
        if (i == PLUGIN_MAX_CHOICES) {
            break;
        }
        int result = plugin_read_text(image, text, PLUGIN_MAX_TEXT, what, &choices[i], error);
        if (result < 0) {
            return result;
        }
    }
    return refuse(image, option, error, "has more than 64 choices");
}

/* Replaces the pointers of `raw`, which lead into the image, by owned copies in `option`. On
 * failure the option holds what there is and its name, if only that could be had. */
static int read_option(const struct elf_image *image, const struct cairn_option *raw,
                       struct cairn_option *option, struct error *error)
{
    char *name = NULL, *text = NULL;
    char what[PLUGIN_MAX_NAME + 32];
    int result =
        plugin_read_text(image, raw->name, PLUGIN_MAX_NAME + 1, "an option's name", &name, error);

    if (result < 0) {
        return result;
    }
    *option = (struct cairn_option){ .name = name,
                                     .type = raw->type,
                                     .flags = raw->flags & KNOWN_FLAGS,
                                     .offset = raw->offset,
                                     .min = raw->min,
                                     .max = raw->max };
    snprintf(what, sizeof(what), "a text of the option \"%s\"", name);
    result = plugin_read_text(image, raw->default_text, PLUGIN_MAX_TEXT, what, &text, error);
    option->default_text = result == 0 ? text : NULL;
    if (result == 0) {
        result = plugin_read_text(image, raw->capture, PLUGIN_MAX_TEXT, what, &text, error);
        option->capture = result == 0 ? text : NULL;
    }
    if (result == 0) {
        result = plugin_read_text(image, raw->help, PLUGIN_MAX_TEXT, what, &text, error);
        option->help = result == 0 ? text : NULL;
    }
    return result == 0 ? read_choices(image, raw->choices, option, error) : result;
}

static int check_table(const struct elf_image *image, const struct cairn_plugin *descriptor,
                       struct error *error)
{
    if (descriptor->config_size > PLUGIN_MAX_CONFIG) {
        return error_set(error, CAIRN_EPLUGIN,
                         "%s wants %u bytes for its configuration; the limit is %d.", image->path,
                         descriptor->config_size, PLUGIN_MAX_CONFIG);
    }
    if (descriptor->options != NULL &&
        (descriptor->option_size < PLUGIN_OPTION_BYTES ||
         descriptor->option_size > PLUGIN_MAX_STRUCTURE ||
         descriptor->option_size % _Alignof(struct cairn_option) != 0)) {
        return error_set(error, CAIRN_EPLUGIN,
                         "%s says that an option of its table has %u bytes, which cannot be.",
                         image->path, descriptor->option_size);
    }
    return 0;
}

/* The option after the last one; its texts are owned from the start, its rules checked at last. */
static int add_option(const struct elf_image *image, const struct cairn_option *raw,
                      struct plugin_facts *facts, struct error *error)
{
    struct cairn_option *option = &facts->options[facts->option_count];
    int result;

    if (facts->option_count == PLUGIN_MAX_OPTIONS) {
        return error_set(error, CAIRN_EPLUGIN, "%s has more than %d options.", image->path,
                         PLUGIN_MAX_OPTIONS);
    }
    result = read_option(image, raw, option, error);
    if (result == 0) {
        result = check_name(image, facts, option, error);
    }
    if (result == 0) {
        result = check_rules(image, option, error);
    }
    if (result == 0) {
        result = check_place(image, facts, option, error);
    }
    if (result == 0) {
        facts->option_count++;
    }
    return result;
}

int plugin_read_options(const struct elf_image *image, const struct cairn_plugin *descriptor,
                        struct plugin_facts *facts, struct error *error)
{
    size_t stride = descriptor->option_size;
    uint64_t address = (uint64_t)(uintptr_t)descriptor->options;
    int result = check_table(image, descriptor, error);

    if (result < 0) {
        return result;
    }
    facts->config_size = descriptor->config_size;
    facts->options = calloc(PLUGIN_MAX_OPTIONS + 1, sizeof(*facts->options));
    if (facts->options == NULL) {
        return error_set(error, CAIRN_ENOMEM, "There is no memory to read %s.", image->path);
    }
    for (; result == 0 && descriptor->options != NULL; address += stride) {
        struct cairn_option raw = { 0 };
        if (!elf_copy(image, address, &raw, stride < sizeof(raw) ? stride : sizeof(raw))) {
            return error_set(error, CAIRN_EPLUGIN,
                             "In %s, the table of options does not end within the file.",
                             image->path);
        }
        if (raw.name == NULL) {
            break;
        }
        result = add_option(image, &raw, facts, error);
    }
    return result;
}

void plugin_options_destroy(struct cairn_option *options)
{
    if (options == NULL) {
        return;
    }
    for (struct cairn_option *option = options; option->name != NULL; option++) {
        for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++) {
            free((char *)option->choices[i]);
        }
        free((void *)option->choices);
        free((char *)option->name);
        free((char *)option->default_text);
        free((char *)option->capture);
        free((char *)option->help);
    }
    free(options);
}
