/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin's facts from its file's bytes: descriptor, operations' constants, identity note. No code
 * of the plugin runs. Structures grow at their end, so each is copied as far as both sides know it
 * into a zeroed one. Engine, sender, tools.
 */
#include "core/plugin/internal.h"
#include "core/util/text.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct cairn_plugin) >= PLUGIN_DESCRIPTOR_BYTES, "descriptors only grow");
_Static_assert(offsetof(struct cairn_filter_ops, decide) + sizeof(void *) == PLUGIN_OPS_BYTES,
               "all kinds' operations begin alike");
_Static_assert(sizeof(struct cairn_option) >= PLUGIN_OPTION_BYTES, "options only grow");

static int read_descriptor(const struct elf_image *image, struct cairn_plugin *ret_descriptor,
                           struct error *error)
{
    struct cairn_plugin descriptor = { 0 };
    uint64_t address, symbol_bytes;

    if (!elf_object(image, PLUGIN_SYMBOL, &address, &symbol_bytes)) {
        return error_set(error, CAIRN_EPLUGIN, "%s exports no data named %s.", image->path,
                         PLUGIN_SYMBOL);
    }
    if (!elf_copy(image, address, &descriptor, offsetof(struct cairn_plugin, abi_major))) {
        return error_set(error, CAIRN_EFORMAT, "In %s, %s lies outside of the file.", image->path,
                         PLUGIN_SYMBOL);
    }
    if (descriptor.magic != CAIRN_PLUGIN_MAGIC) {
        return error_set(error, CAIRN_EPLUGIN,
                         "%s begins its descriptor with 0x%08x where a plugin has 0x%08x.",
                         image->path, descriptor.magic, CAIRN_PLUGIN_MAGIC);
    }
    uint32_t size = descriptor.size;
    if (size < PLUGIN_DESCRIPTOR_BYTES || size > PLUGIN_MAX_STRUCTURE || size > symbol_bytes) {
        return error_set(error, CAIRN_EPLUGIN,
                         "%s says that its descriptor has %u bytes; its symbol has %llu and a "
                         "descriptor at least %d.",
                         image->path, size, (unsigned long long)symbol_bytes,
                         PLUGIN_DESCRIPTOR_BYTES);
    }
    if (!elf_copy(image, address, &descriptor,
                  size < sizeof(descriptor) ? size : sizeof(descriptor))) {
        return error_set(error, CAIRN_EFORMAT, "In %s, %s lies outside of the file.", image->path,
                         PLUGIN_SYMBOL);
    }
    *ret_descriptor = descriptor;
    return 0;
}

static int check_abi(const struct elf_image *image, unsigned major, unsigned minor,
                     struct error *error)
{
    if (major != CAIRN_ABI_MAJOR || minor > CAIRN_ABI_MINOR) {
        return error_set(error, CAIRN_EPLUGIN,
                         "%s needs version %u.%u of the plugin ABI, this Cairn has version %u.%u.",
                         image->path, major, minor, CAIRN_ABI_MAJOR, CAIRN_ABI_MINOR);
    }
    return 0;
}

/* The folder's name must agree where it is a kind's, so that a file cannot stand in for another
 * kind. */
static int check_kind(const struct elf_image *image, uint32_t kind, struct error *error)
{
    const char *base = text_base_name(image->path);

    if (kind < CAIRN_KIND_FILTER || kind > CAIRN_KIND_TRANSPORT) {
        return error_set(error, CAIRN_EPLUGIN, "%s is a plugin of kind %u, which does not exist.",
                         image->path, kind);
    }
    for (enum cairn_kind other = CAIRN_KIND_FILTER; other <= CAIRN_KIND_TRANSPORT; other++) {
        const char *name = config_kind(other);
        size_t bytes = strlen(name);
        if (other != kind && base - image->path > (ptrdiff_t)bytes + 1 && base[-1] == '/' &&
            strncmp(base - 1 - bytes, name, bytes) == 0 && base[-2 - (ptrdiff_t)bytes] == '/') {
            return error_set(error, CAIRN_EPLUGIN, "%s is of kind %s, but lies in the folder %s.",
                             image->path, config_kind((enum cairn_kind)kind), name);
        }
    }
    return 0;
}

static int check_name(const struct elf_image *image, const char *name, struct error *error)
{
    const char *base = text_base_name(image->path);

    if (name == NULL || !plugin_is_name(name, true)) {
        return error_set(error, CAIRN_EPLUGIN,
                         "%s calls itself \"%s\", which is not a plugin's name: [a-z][a-z0-9_-]*.",
                         image->path, name != NULL ? name : "");
    }
    if (strncmp(base, name, strlen(name)) != 0 || strcmp(base + strlen(name), ".so") != 0) {
        return error_set(error, CAIRN_EPLUGIN,
                         "%s calls itself \"%s\"; the file must be named %s.so.", image->path, name,
                         name);
    }
    return 0;
}

static int read_identity(const struct elf_image *image, const struct cairn_plugin *descriptor,
                         struct plugin_facts *facts, struct error *error)
{
    int result = check_abi(image, descriptor->abi_major, descriptor->abi_minor, error);

    if (result == 0) {
        result = check_kind(image, descriptor->kind, error);
    }
    if (result == 0) {
        result = plugin_read_text(image, descriptor->name, PLUGIN_MAX_NAME + 1, "the name",
                                  &facts->name, error);
    }
    if (result == 0) {
        result = check_name(image, facts->name, error);
    }
    if (result == 0) {
        result = plugin_read_text(image, descriptor->version, PLUGIN_MAX_TEXT, "the version",
                                  &facts->version, error);
    }
    if (result == 0) {
        result = plugin_read_text(image, descriptor->summary, PLUGIN_MAX_TEXT, "the summary",
                                  &facts->summary, error);
    }
    facts->kind = (enum cairn_kind)descriptor->kind;
    facts->abi_major = descriptor->abi_major;
    facts->abi_minor = descriptor->abi_minor;
    facts->capabilities = descriptor->capabilities;
    return result;
}

/* Other programs read the note alone; it must not tell them something else. */
static int check_note(const struct elf_image *image, const struct plugin_facts *facts,
                      struct error *error)
{
    struct {
        uint32_t magic, abi, kind;
    } head;
    const unsigned char *note;
    size_t bytes;

    if (!elf_note(image, "Cairn", CAIRN_NOTE_TYPE, &note, &bytes)) {
        return 0;
    }
    size_t name_bytes = strlen(facts->name) + 1;
    if (bytes >= sizeof(head) + name_bytes) {
        memcpy(&head, note, sizeof(head));
        if (head.magic == CAIRN_PLUGIN_MAGIC && head.kind == (uint32_t)facts->kind &&
            head.abi == (facts->abi_major | facts->abi_minor << 16) &&
            memcmp(note + sizeof(head), facts->name, name_bytes) == 0) {
            return 0;
        }
    }
    return error_set(error, CAIRN_EPLUGIN,
                     "In %s, the note .note.cairn names another kind, name or ABI than %s.",
                     image->path, PLUGIN_SYMBOL);
}

static bool is_extension(const char *text)
{
    size_t bytes = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.");

    return bytes > 0 && bytes <= 16 && text[bytes] == '\0' && text[0] != '.' &&
           text[bytes - 1] != '.' && strstr(text, "..") == NULL;
}

static int read_writer(const struct elf_image *image, const struct cairn_writer_ops *ops,
                       struct plugin_facts *facts, struct error *error)
{
    int result = plugin_read_text(image, ops->extension, PLUGIN_MAX_NAME, "the extension",
                                  &facts->extension, error);

    if (result == 0 && (facts->extension == NULL || !is_extension(facts->extension))) {
        return error_set(
            error, CAIRN_EPLUGIN,
            "%s writes files with the extension \"%s\"; it must be 1 to 16 of [a-z0-9.] "
            "and neither begin nor end with a dot.",
            image->path, facts->extension != NULL ? facts->extension : "");
    }
    if (result == 0) {
        result = plugin_read_text(image, ops->media_type, PLUGIN_MAX_NAME * 2, "the media type",
                                  &facts->media_type, error);
    }
    if (result == 0 && facts->media_type == NULL) {
        facts->media_type = strdup("application/octet-stream");
        if (facts->media_type == NULL) {
            return error_set(error, CAIRN_ENOMEM, "There is no memory to read %s.", image->path);
        }
    }
    return result;
}

static int read_ops(const struct elf_image *image, const struct cairn_plugin *descriptor,
                    struct plugin_facts *facts, struct error *error)
{
    union {
        uint32_t size;
        struct cairn_filter_ops filter; /* the head and the call of every kind */
        struct cairn_writer_ops writer;
    } ops;
    uint64_t address = (uint64_t)(uintptr_t)descriptor->ops;
    uint32_t size = 0;

    memset(&ops, 0, sizeof(ops));
    if (!elf_copy(image, address, &size, sizeof(size)) || size < PLUGIN_OPS_BYTES ||
        size > PLUGIN_MAX_STRUCTURE ||
        !elf_copy(image, address, &ops, size < sizeof(ops) ? size : sizeof(ops))) {
        return error_set(error, CAIRN_EPLUGIN,
                         "In %s, the operations are not in the file or have %u bytes; they need at "
                         "least %d.",
                         image->path, size, PLUGIN_OPS_BYTES);
    }
    if (ops.filter.decide == NULL) {
        return error_set(error, CAIRN_EPLUGIN, "%s does not implement what a %s is for.",
                         image->path, config_kind(facts->kind));
    }
    if (facts->kind == CAIRN_KIND_WRITER) {
        return read_writer(image, &ops.writer, facts, error);
    }
    if (facts->kind == CAIRN_KIND_FILTER) {
        if (ops.filter.flags > CAIRN_STAGE_REPORT) {
            return error_set(error, CAIRN_EPLUGIN,
                             "%s wants to decide at stage %u, which does not exist.", image->path,
                             ops.filter.flags);
        }
        facts->stage = ops.filter.flags;
    }
    return 0;
}

static int read_facts(const struct elf_image *image, struct plugin_facts *facts,
                      struct error *error)
{
    struct cairn_plugin descriptor;
    int result = read_descriptor(image, &descriptor, error);

    if (result == 0) {
        result = read_identity(image, &descriptor, facts, error);
    }
    if (result == 0) {
        result = check_note(image, facts, error);
    }
    if (result == 0) {
        result = read_ops(image, &descriptor, facts, error);
    }
    return result == 0 ? plugin_read_options(image, &descriptor, facts, error) : result;
}

int plugin_describe(int fd, const char *path, struct plugin_facts **ret_facts, struct error *error)
{
    struct elf_image image;
    struct plugin_facts *facts;
    int result = elf_read(fd, path, &image, error);

    if (result < 0) {
        return result;
    }
    facts = calloc(1, sizeof(*facts));
    if (facts == NULL || (facts->path = strdup(path)) == NULL) {
        result = error_set(error, CAIRN_ENOMEM, "There is no memory to read %s.", path);
    } else {
        result = read_facts(&image, facts, error);
    }
    elf_finish(&image);
    if (result < 0) {
        plugin_facts_destroy(facts);
        return result;
    }
    facts->config.options = facts->options;
    facts->config.config_size = facts->config_size;
    *ret_facts = facts;
    return 0;
}

void plugin_facts_destroy(struct plugin_facts *facts)
{
    if (facts == NULL) {
        return;
    }
    plugin_options_destroy(facts->options);
    free(facts->path);
    free(facts->name);
    free(facts->version);
    free(facts->summary);
    free(facts->extension);
    free(facts->media_type);
    free(facts);
}
