/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins found, described from their bytes, refused with a reason, listed and bound to options. */
#include "core/util/paths.h"
#include "tests/unit/plugins.h"
#include "tests/unit/tap.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_facts(void)
{
    struct error error = { 0, "" };
    struct plugin_facts *facts = plugins_describe(CAIRN_KIND_ANNOTATOR, "good", NULL, &error);

    CU_ASSERT_PTR_NOT_NULL_FATAL(facts);
    CU_ASSERT_EQUAL(facts->kind, CAIRN_KIND_ANNOTATOR);
    CU_ASSERT_STRING_EQUAL(facts->name, "good");
    CU_ASSERT_STRING_EQUAL(facts->version, "1.0");
    CU_ASSERT_STRING_EQUAL(facts->summary, "A test plugin.");
    CU_ASSERT_EQUAL(facts->abi_major, CAIRN_ABI_MAJOR);
    CU_ASSERT_EQUAL(facts->option_count, 13);
    CU_ASSERT_STRING_EQUAL(facts->options[0].name, "text");
    CU_ASSERT_STRING_EQUAL(facts->options[0].default_text, "plain");
    CU_ASSERT_STRING_EQUAL(facts->options[0].help, "A text.");
    CU_ASSERT_STRING_EQUAL(facts->options[2].choices[1], "high");
    CU_ASSERT_PTR_NULL(facts->options[2].choices[2]);
    CU_ASSERT_EQUAL(facts->options[4].min, -5);
    CU_ASSERT_PTR_NULL(facts->options[13].name);
    CU_ASSERT_PTR_EQUAL(facts->config.options, facts->options);
    plugin_facts_destroy(facts);
}

static void test_kinds(void)
{
    struct error error = { 0, "" };
    struct plugin_facts *filter = plugins_describe(CAIRN_KIND_FILTER, "good", NULL, &error);
    struct plugin_facts *writer = plugins_describe(CAIRN_KIND_WRITER, "good", NULL, &error);
    struct plugin_facts *hook = plugins_describe(CAIRN_KIND_HOOK, "good", NULL, &error);
    struct plugin_facts *transport = plugins_describe(CAIRN_KIND_TRANSPORT, "good", NULL, &error);

    CU_ASSERT_TRUE_FATAL(filter != NULL && writer != NULL && hook != NULL && transport != NULL);
    CU_ASSERT_EQUAL(filter->stage, CAIRN_STAGE_STACK);
    CU_ASSERT_EQUAL(filter->options[0].flags, CAIRN_OPTION_REQUIRED);
    CU_ASSERT_STRING_EQUAL(writer->extension, "txt");
    CU_ASSERT_STRING_EQUAL(writer->media_type, "text/plain");
    CU_ASSERT_EQUAL(hook->option_count, 0);
    CU_ASSERT_EQUAL(hook->capabilities, CAIRN_CAP_PROCESSES);
    CU_ASSERT_EQUAL(transport->capabilities, CAIRN_CAP_NETWORK);
    plugin_facts_destroy(filter);
    plugin_facts_destroy(writer);
    plugin_facts_destroy(hook);
    plugin_facts_destroy(transport);
}

/* Structures that are shorter or longer than this host's. */
static void test_growth(void)
{
    struct error error = { 0, "" };
    struct plugin_facts *older = plugins_describe(CAIRN_KIND_WRITER, "older", NULL, &error);
    struct plugin_facts *newer = plugins_describe(CAIRN_KIND_HOOK, "newer", NULL, &error);

    CU_ASSERT_PTR_NOT_NULL_FATAL(older);
    CU_ASSERT_STRING_EQUAL(older->extension, "tar.gz");
    CU_ASSERT_STRING_EQUAL(older->media_type, "application/octet-stream");
    CU_ASSERT_EQUAL(older->option_count, 2);
    CU_ASSERT_STRING_EQUAL(older->options[1].name, "size");
    CU_ASSERT_PTR_NULL(older->options[1].default_text);
    CU_ASSERT_PTR_NULL(older->options[1].help);
    CU_ASSERT_PTR_NOT_NULL_FATAL(newer);
    CU_ASSERT_EQUAL(newer->option_count, 2);
    CU_ASSERT_STRING_EQUAL(newer->options[1].name, "second");
    CU_ASSERT_STRING_EQUAL(newer->options[1].default_text, "true");
    plugin_facts_destroy(older);
    plugin_facts_destroy(newer);
}

static void test_refusals(void)
{
    static const struct {
        const char *name, *why;
        int code;
    } wrong[] = {
        { "wrong_magic", "0x31415926 where a plugin has 0x314e5243", CAIRN_EPLUGIN },
        { "wrong_major", "needs version 7.0 of the plugin ABI, this Cairn has version 1.0",
          CAIRN_EPLUGIN },
        { "newer_minor", "needs version 1.9 of the plugin ABI, this Cairn has version 1.0",
          CAIRN_EPLUGIN },
        { "wrong_kind", "is of kind filter, but lies in the folder annotator", CAIRN_EPLUGIN },
        { "unknown_kind", "kind 77, which does not exist", CAIRN_EPLUGIN },
        { "no_symbol", "exports no data named cairn_plugin_entry", CAIRN_EPLUGIN },
        { "wrong_size", "descriptor has 2000 bytes; its symbol has 72", CAIRN_EPLUGIN },
        { "wrong_name", "calls itself \"another_name\"", CAIRN_EPLUGIN },
        { "wrong_note", "the note .note.cairn names another", CAIRN_EPLUGIN },
        { "bad_text", "the summary is not one line of printable", CAIRN_EPLUGIN },
        { "executable_stack", "executable stack", CAIRN_EPLUGIN },
        { "origin", "$ORIGIN", CAIRN_EPLUGIN },
        { "bad_offset", "\"far\" does not lie, aligned, inside", CAIRN_EPLUGIN },
        { "crooked_offset", "\"crooked\" does not lie, aligned, inside", CAIRN_EPLUGIN },
        { "overlap", "\"two\" lies in the configuration structure where another", CAIRN_EPLUGIN },
        { "common_key", "\"timeout\" has a name that every plugin's settings", CAIRN_EPLUGIN },
        { "twice", "\"one\" is declared twice", CAIRN_EPLUGIN },
        { "unknown_type", "\"one\" has a type that this Cairn does not know", CAIRN_EPLUGIN },
        { "no_choices", "\"one\" must have choices", CAIRN_EPLUGIN },
        { "goood", "(did you mean \"good\"?).", CAIRN_ENOENT },
        { "older", "There is a writer named \"older\", but no annotator", CAIRN_ENOENT },
        { "../good", "is not a plugin's name", CAIRN_EINVAL },
        { "", "is not a plugin's name", CAIRN_EINVAL },
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct error error = { 0, "" };
        CU_ASSERT_PTR_NULL(plugins_describe(CAIRN_KIND_ANNOTATOR, wrong[i].name, NULL, &error));
        CU_ASSERT_EQUAL(error.code, wrong[i].code);
        if (strstr(error.text, wrong[i].why) == NULL) {
            printf("# %s: %s\n", wrong[i].name, error.text);
            CU_FAIL("the sentence does not say why");
        }
    }
}

/* ---- Who could have changed it ---- */

static char folder[PATH_MAX]; /* an own plugin folder, in front of the others */

static void folder_init(void)
{
    char path[PATH_MAX + 64], search[2 * PATH_MAX + 2];

    snprintf(folder, sizeof(folder), "/tmp/cairn-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/annotator", folder);
    CU_ASSERT_EQUAL_FATAL(mkdir(path, 0755), 0);
    snprintf(search, sizeof(search), "%s:%s", folder, plugins_use());
    setenv("CAIRN_PLUGIN_PATH", search, 1);
}

static void folder_finish(void)
{
    static const char *const names[] = { "annotator/good.so", "annotator/link.so",
                                         "annotator/pipe.so", "annotator/broken.so" };
    char path[PATH_MAX + 64];

    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/annotator", folder);
    rmdir(path);
    rmdir(folder);
    plugins_use();
}

static void put(const char *name, const char *bytes, mode_t mode)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/annotator/%s.so", folder, name);
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(bytes, file);
    fclose(file);
    CU_ASSERT_EQUAL(chmod(path, mode), 0);
}

static void check_open(const char *name, int code, const char *why)
{
    struct error error = { 0, "" };
    char *path = NULL;

    CU_ASSERT_EQUAL(plugin_open(CAIRN_KIND_ANNOTATOR, name, &path, &error), code);
    CU_ASSERT_PTR_NULL(path);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, why));
}

static void test_trust(void)
{
    char path[PATH_MAX + 64], target[PATH_MAX + 64];

    folder_init();
    put("good", "", 0666);
    check_open("good", CAIRN_EPERM, "can be changed by others");
    snprintf(path, sizeof(path), "%s/annotator/link.so", folder);
    snprintf(target, sizeof(target), "%s/annotator/good.so", folder);
    CU_ASSERT_EQUAL(symlink(target, path), 0);
    check_open("link", CAIRN_EPERM, "symbolic link");
    snprintf(path, sizeof(path), "%s/annotator/pipe.so", folder);
    CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
    check_open("pipe", CAIRN_EPERM, "not a regular file");
    put("good", "", 0644);
    snprintf(path, sizeof(path), "%s/annotator", folder);
    CU_ASSERT_EQUAL(chmod(path, 0777), 0);
    check_open("good", CAIRN_EPERM, "can be changed by others");
    CU_ASSERT_EQUAL(chmod(path, 0755), 0);
    folder_finish();
}

/* ---- Lists ---- */

static void complain(const char *path, const struct error *error, void *user)
{
    size_t *count = user;

    CU_ASSERT_PTR_NOT_NULL(strstr(path, ".so"));
    CU_ASSERT(error->text[0] != '\0');
    ++*count;
}

static void test_scan(void)
{
    struct plugin_list list;
    size_t complaints = 0, good = 0;

    folder_init();
    put("broken", "this is no plugin", 0644);
    CU_ASSERT_EQUAL_FATAL(plugin_scan(&list, complain, &complaints), 0);
    CU_ASSERT_EQUAL(complaints, 20); /* those of tests/plugins and the one here */
    for (size_t i = 0; i < list.count; i++) {
        good += strcmp(list.items[i]->name, "good") == 0;
        CU_ASSERT(i == 0 || list.items[i - 1]->kind < list.items[i]->kind ||
                  (list.items[i - 1]->kind == list.items[i]->kind &&
                   strcmp(list.items[i - 1]->name, list.items[i]->name) < 0));
    }
    CU_ASSERT_EQUAL(good, 5);
    plugin_list_finish(&list);
    folder_finish();
}

/* ---- Binding ---- */

static void test_bind(void)
{
    struct plugins_config bound;

    plugins_config_init(&bound, "version: 1\n"
                                "annotators:\n"
                                "  one: { plugin: good, text: hello, size: 3MiB }\n"
                                "  two: { plugin: good, signal: SEGV, level: high }\n"
                                "hooks:\n"
                                "  three: { plugin: newer, first: true }\n"
                                "pipelines:\n"
                                "  default: { annotators: [one, two], hooks: [three] }\n");
    if (bound.result != 0) {
        printf("# %s\n", bound.text);
    }
    CU_ASSERT_EQUAL_FATAL(bound.result, 0);
    CU_ASSERT_EQUAL(bound.set.count, 3);
    CU_ASSERT_PTR_EQUAL(bound.set.facts[0], bound.set.facts[1]);
    CU_ASSERT_EQUAL(bound.set.fds[0], bound.set.fds[1]);
    CU_ASSERT_PTR_NOT_NULL(bound.config->instances[0].options);
    CU_ASSERT_EQUAL(bound.config->instances[0].options_bytes, bound.set.facts[0]->config_size);
    const int32_t *newer = bound.config->instances[2].options;
    CU_ASSERT(newer[0] == 1 && newer[1] == 1);
    plugins_config_finish(&bound);
}

/* What is wrong with one instance leaves the others usable. */
static void test_bind_problems(void)
{
    struct plugins_config bound;

    plugins_config_init(&bound, "version: 1\n"
                                "annotators:\n"
                                "  one: { plugin: good }\n"
                                "  two: { plugin: goood }\n"
                                "  three: { plugin: good, number: 17 }\n"
                                "  four: { plugin: wrong_major }\n"
                                "filters:\n"
                                "  five: { plugin: older }\n"
                                "pipelines:\n"
                                "  default: { filters: [five], annotators: [one, two, three, "
                                "four] }\n");
    CU_ASSERT_EQUAL(bound.result, CAIRN_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(bound.text, "test.yaml:4:18: annotators.two.plugin: There is no "
                                              "annotator named \"goood\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(bound.text, "(did you mean \"good\"?)\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bound.text, "test.yaml:5:34: annotators.three.number: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(bound.text, "test.yaml:6:19: annotators.four.plugin: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(bound.text, "There is a writer named \"older\", but no filter"));
    CU_ASSERT_EQUAL_FATAL(bound.set.count, 5);
    for (size_t i = 0; i < 5; i++) {
        bool usable = strcmp(bound.config->instances[i].id, "one") == 0;
        CU_ASSERT_EQUAL(bound.set.facts[i] != NULL, usable);
        CU_ASSERT_EQUAL(bound.set.fds[i] >= 0, usable);
    }
    plugins_config_finish(&bound);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "reads the facts of a plugin", test_facts },
        { "reads what each kind says of itself", test_kinds },
        { "takes older and newer structures", test_growth },
        { "says why a plugin cannot be used", test_refusals },
        { "trusts no file that others can change", test_trust },
        { "lists all plugins, sorted", test_scan },
        { "binds options, sharing a plugin", test_bind },
        { "binds what can be used", test_bind_problems },
        { NULL, NULL },
    };

    return tap_run("describe", tests);
}
