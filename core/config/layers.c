/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files a configuration is made of, and in which order: the vendor's drop-ins, the installed
 * file, the administrator's drop-ins, the user's file, the program's; and the policy on top of all.
 * Every process but the crashed one.
 */
#include "core/config/internal.h"

#include "core/util/paths.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_DROP_INS 256 /* in one folder */

struct layers {
    struct config_check *check;
    struct config_policy policy;
    struct config_node *system; /* what vendor and administrator say; NULL: nothing */
    bool found;                 /* a file of the system's or the user's */
};

/* ---- One file ------------------------------------------------------------------------------ */

static bool exists(const char *path)
{
    return access(path, F_OK) == 0 || errno != ENOENT;
}

/* A file of commands that run as somebody else must not be everybody's to write. */
static void check_rights(struct config_check *check, const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0 && (status.st_mode & S_IWOTH) != 0) {
        config_refuse(check->problems, path, CAIRN_EPERM,
                      "the file can be changed by everyone; take that right away (chmod o-w)");
    }
}

/* The tree of a file that exists; NULL after a problem, or when nothing is in it. */
static struct config_node *read_layer(struct layers *layers, const char *path)
{
    struct config_check *check = layers->check;
    const struct config_source *source = NULL;
    struct config_node *root = NULL;
    struct buf text;

    layers->found = true;
    check_rights(check, path);
    if (config_source_read(path, -1, path, &text, check->problems) == 0) {
        source = config_source_keep(check->arena, path, true, &text);
        check->no_memory = check->no_memory || source == NULL;
    }
    buf_finish(&text);
    if (source != NULL) {
        root = config_parse_layer(source->name, source->text, source->bytes, check->problems);
    }
    if (root != NULL && root->kind != CONFIG_MAP) {
        config_problem_add(check->problems, root->position, "",
                           "the top level must be a map, as in \"version: 1\"");
        config_node_destroy(root);
        root = NULL;
    }
    if (root != NULL) {
        config_check_version(check, root, false);
    }
    return root;
}

static void add_system_file(struct layers *layers, const char *path)
{
    struct config_node *root = read_layer(layers, path);

    if (root != NULL) {
        config_merge(layers->check, &layers->system, root);
    }
}

/* ---- Drop-ins ------------------------------------------------------------------------------ */

static int is_drop_in(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return entry->d_name[0] != '.' && length > 5 &&
           strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

static int by_bytes(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

/* Whether a file of this name in the folder `masks` stands in its place. */
static bool is_masked(const char *masks, const char *name)
{
    char path[PATH_MAX];

    return masks != NULL && snprintf(path, sizeof(path), "%s/%s", masks, name) > 0 && exists(path);
}

/* Adds the folder's files in the order of their names, without those that `masks` has as well. */
static void add_folder(struct layers *layers, const char *folder, const char *masks)
{
    struct dirent **entries = NULL;
    char path[PATH_MAX];
    int count = scandir(folder, &entries, is_drop_in, by_bytes);

    if (count < 0 && errno != ENOENT && errno != ENOTDIR) {
        config_refuse(layers->check->problems, folder, CAIRN_ESYSTEM,
                      "the folder cannot be read: %s", strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        int length = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);

        if (i == MAX_DROP_INS) {
            config_refuse(layers->check->problems, folder, CAIRN_ECONFIG,
                          "the folder holds more than %d drop-ins", MAX_DROP_INS);
        } else if (i < MAX_DROP_INS && length < (int)sizeof(path) &&
                   !is_masked(masks, entries[i]->d_name)) {
            add_system_file(layers, path);
        }
        free(entries[i]);
    }
    free(entries);
}

static void add_system(struct layers *layers)
{
    char vendor[PATH_MAX], own[PATH_MAX];
    const char *drop_ins = paths_config_folder(own, sizeof(own));

    if (paths_vendor_folder(vendor, sizeof(vendor)) != NULL) {
        add_folder(layers, vendor, drop_ins);
    }
    if (exists(paths_config())) {
        add_system_file(layers, paths_config());
    }
    if (drop_ins != NULL) {
        add_folder(layers, drop_ins, NULL);
    }
}

/* ---- The whole ----------------------------------------------------------------------------- */

/* The user's file onto what lies below it, as the policy has it. */
static void add_user(struct layers *layers, struct config_node **base)
{
    int32_t rule = layers->policy.user_config;
    struct config_node *root;
    char path[PATH_MAX];

    if (rule == CONFIG_USER_NONE || paths_user_config(path, sizeof(path)) == NULL ||
        !exists(path)) {
        return;
    }
    root = read_layer(layers, path);
    if (root == NULL) {
        return;
    }
    config_policy_check_locks(layers->check, &layers->policy, root);
    if (rule == CONFIG_USER_ONLY) {
        config_node_destroy(*base);
        *base = NULL;
    }
    config_merge(layers->check, base, root);
}

static struct config_node *copy_system(struct layers *layers)
{
    struct config_node *copy = layers->system != NULL ? config_node_copy(layers->system) : NULL;

    layers->check->no_memory = layers->check->no_memory || (layers->system != NULL && copy == NULL);
    return copy;
}

/* Whether the layers below count for a program's file: as its key "layers" says; without it, where
 * the file has no pipelines and so cannot stand by itself. The key is taken out. */
static bool wants_layers(struct layers *layers, struct config_node *program)
{
    static const char *const rules[] = { "none", "merge", NULL };
    static const struct cairn_option options[] = {
        { .name = "layers", .type = CAIRN_OPTION_ENUM, .choices = rules }, { .name = NULL }
    };
    struct config_table table = { .options = options };
    int32_t rule = config_get(program, "pipelines") == NULL ? 1 : 0;
    uint64_t set;

    config_table_read(layers->check, program, &table, &rule, &set);
    config_node_destroy(config_node_take(program, "layers"));
    return rule == 1 || layers->policy.program_config == 1;
}

/* The program's file with what lies below it, if that counts. */
static struct config_node *merge_program(struct layers *layers, struct config_node *program)
{
    struct config_node *base = NULL;
    bool merge;

    if (program->kind != CONFIG_MAP) {
        return program;
    }
    merge = wants_layers(layers, program);
    config_policy_check_locks(layers->check, &layers->policy, program);
    if (merge || config_policy_needs_system(&layers->policy)) {
        add_system(layers);
    }
    if (merge) {
        base = copy_system(layers);
        add_user(layers, &base);
    }
    layers->check->config->layered = base != NULL;
    config_merge(layers->check, &base, program);
    return base;
}

/* What is made of a single file is that file, as if a program had named it. */
static void set_single(struct config *config, const struct config_source *source)
{
    config->name = source->name;
    config->source = source->text;
    config->source_bytes = source->bytes;
    config->layered = false;
}

static struct config_node *merge_installed(struct layers *layers)
{
    struct config_check *check = layers->check;
    const struct config_source *before = check->arena->sources, *source;
    struct config_node *base;

    add_system(layers);
    base = copy_system(layers);
    add_user(layers, &base);
    check->config->layered = true;
    source = check->arena->sources;
    if (before == NULL && source != NULL && source->next == NULL) {
        set_single(check->config, source);
    }
    return base;
}

static bool is_installed(const char *path)
{
    struct stat given, installed;

    return strcmp(path, paths_config()) == 0 ||
           (stat(path, &given) == 0 && stat(paths_config(), &installed) == 0 &&
            given.st_dev == installed.st_dev && given.st_ino == installed.st_ino);
}

/* The program's own text, and what lies below it; a copy is what came of the layers once. */
static struct config_node *read_program(struct layers *layers, const struct config_request *request,
                                        struct buf *text)
{
    struct config_node *root = config_take_text(layers->check, request->path != NULL, text);

    if (root != NULL && !request->is_copy) {
        return merge_program(layers, root);
    }
    if (root != NULL && root->kind == CONFIG_MAP) {
        config_node_destroy(config_node_take(root, "layers"));
    }
    return root;
}

static void load(struct layers *layers, bool is_program, const struct config_request *request,
                 struct buf *text)
{
    struct config_check *check = layers->check;
    struct config_node *root;

    config_policy_read(check, &layers->policy);
    root = is_program ? read_program(layers, request, text) : merge_installed(layers);
    check->config->root = root;
    if (is_program) {
        config_source_raise(check->arena, check->config->name);
    }
    if (layers->policy.root != NULL) {
        config_source_raise(check->arena, layers->policy.root->position.file);
    }
    if (root == NULL) {
        return;
    }
    if (root->kind == CONFIG_MAP && !request->is_copy) {
        config_policy_enforce(check, &layers->policy, layers->system, root);
        check->config->layered = check->config->layered || layers->policy.root != NULL;
    }
    config_check_all(check, root);
    config_policy_check_plugins(check, &layers->policy);
}

int config_load_layers(const struct config_request *request, struct config **ret_config,
                       struct config_problems *problems)
{
    bool is_program = request->path != NULL ? !is_installed(request->path) : request->fd >= 0;
    const char *name = !is_program             ? paths_config()
                       : request->path != NULL ? request->path
                                               : request->name;
    struct config_check check = { .problems = problems };
    struct layers layers = { .check = &check };
    size_t errors = problems->errors;
    struct buf text;
    int result = 0;

    buf_init(&text, 0);
    if (is_program) {
        result = config_source_read(request->path, request->fd, name, &text, problems);
    }
    if (result == 0) {
        result = config_create(name, problems, &check.config);
    }
    if (result != 0) {
        buf_finish(&text);
        return result;
    }
    check.arena = check.config->arena;
    load(&layers, is_program, request, &text);
    buf_finish(&text);
    config_policy_finish(&layers.policy);
    config_node_destroy(layers.system);
    if (!is_program && !layers.found) {
        config_destroy(check.config);
        return config_refuse(problems, name, CAIRN_ENOENT, "there is no such file");
    }
    *ret_config = check.config;
    return config_check_end(&check, errors);
}
