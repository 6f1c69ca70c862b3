/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/config with good input: values of every type at their places, defaults, substitution, paths,
 * the choice of a pipeline; and what golden files cannot show: files that are not files.
 */
#include "core/util/fs.h"
#include "tests/engine/check_config.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPELINES "pipelines: { default: { filters: [a] } }\n"

static char folder[] = "/tmp/cairn-config-XXXXXX";
static char file[PATH_MAX];
static struct config_problems problems;
static struct config *config;
static int result;

/* ---- Loading a text ------------------------------------------------------------------------ */

static void write_file(const char *path, const void *data, size_t bytes, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT(write(fd, data, bytes) == (ssize_t)bytes);
    CU_ASSERT(fchmod(fd, mode) == 0);
    close(fd);
}

static void unload(void)
{
    config_problems_finish(&problems);
    config_destroy(config);
    config = NULL;
}

static void load_file(const char *path)
{
    unload();
    config_problems_init(&problems);
    result = config_load(path, -1, path, &config, &problems);
}

/* Loads and binds the text; prints the problems that nobody expects. */
static void load(const char *text, bool good)
{
    int bound = 0;
    struct buf printed;

    write_file(file, text, strlen(text), 0600);
    load_file(file);
    CU_ASSERT_FATAL(config != NULL);
    if (config->root != NULL) {
        bound = config_bind(config, test_find_plugin, NULL, &problems);
    }
    if (good && (result != 0 || bound != 0)) {
        buf_init(&printed, 1 << 16);
        config_problems_print(&problems, text, &printed);
        printf("# %s\n", printed.data);
        buf_finish(&printed);
    }
    CU_ASSERT(!good || (result == 0 && bound == 0));
    CU_ASSERT(good || result != 0 || bound != 0);
}

static const struct everything *bound(void)
{
    CU_ASSERT_FATAL(config->instance_count > 0 && config->instances[0].options != NULL);
    return config->instances[0].options;
}

/* The first problem's text. */
static const char *complaint(void)
{
    return problems.count > 0 && problems.items[0].text != NULL ? problems.items[0].text : "";
}

/* ---- Good input ---------------------------------------------------------------------------- */

static void test_scalars(void)
{
    const struct everything *values;

    load(
        "version: 1\nfilters:\n  a:\n    plugin: everything\n    string: 'it''s'\n    flag: false\n"
        "    mode: full\n    integer: -42\n    number: -2.5e3\n    size: 3MiB\n    duration: "
        "250ms\n"
        "    path: /var/x\n    secret: s3cret\n    url: HTTPS://[::1]:8080/x?y=z#w\n"
        "    signal: SIGUSR1\n" PIPELINES,
        true);
    values = bound();
    CU_ASSERT_STRING_EQUAL(values->string, "it's");
    CU_ASSERT(values->flag == 0);
    CU_ASSERT(values->mode == 2);
    CU_ASSERT(values->integer == -42);
    CU_ASSERT(values->number == -2500.0);
    CU_ASSERT(values->size == 3u << 20);
    CU_ASSERT(values->duration == 250000);
    CU_ASSERT_STRING_EQUAL(values->path, "/var/x");
    CU_ASSERT_STRING_EQUAL(values->secret, "s3cret");
    CU_ASSERT_STRING_EQUAL(values->url, "HTTPS://[::1]:8080/x?y=z#w");
    CU_ASSERT(values->signal == SIGUSR1);
    CU_ASSERT(config->instances[0].options_bytes == sizeof(struct everything));
    CU_ASSERT(config->instances[0].options_set == 0x7ff);
    CU_ASSERT_STRING_EQUAL(config->instances[0].table[3].name, "integer");
}

static void test_absent(void)
{
    const struct everything *values;

    load("version: 1\nfilters: { a: { plugin: everything, url: 'http://x' } }\n" PIPELINES, true);
    values = bound();
    CU_ASSERT(values->string == NULL);
    CU_ASSERT(values->flag == 1);
    CU_ASSERT(values->mode == 1);
    CU_ASSERT(values->integer == 0);
    CU_ASSERT(values->size == 4096);
    CU_ASSERT(values->strings.count == 0 && values->strings.items == NULL);
    CU_ASSERT(values->values.count == 0 && values->values.keys == NULL);
    CU_ASSERT(config->instances[0].options_set == 1u << 9);
}

static void test_lists_and_maps(void)
{
    const struct everything *values;

    load("version: 1\nfilters:\n  a:\n    plugin: everything\n    strings: [x, '', 'null']\n"
         "    flags: [true, false]\n    integers: [1, -9223372036854775808, 9223372036854775807]\n"
         "    numbers: [.5, 1]\n    sizes: [0B, 1kB, 2MB, 3GB, 4KiB, 5GiB]\n"
         "    durations: [1us, 1ms, 1s, 1m, 1h, 1d]\n    modes: [full, stacks]\n"
         "    paths: [/x, y]\n    signals: [SEGV, SIGABRT]\n"
         "    values: { z: 1, a: two }\n    counts: { n: 3 }\n" PIPELINES,
         true);
    values = bound();
    CU_ASSERT_FATAL(values->strings.count == 3);
    CU_ASSERT_STRING_EQUAL(((const char *const *)values->strings.items)[1], "");
    CU_ASSERT_STRING_EQUAL(((const char *const *)values->strings.items)[2], "null");
    CU_ASSERT(((const int32_t *)values->flags.items)[0] == 1);
    CU_ASSERT(((const int32_t *)values->flags.items)[1] == 0);
    CU_ASSERT(((const int64_t *)values->integers.items)[1] == INT64_MIN);
    CU_ASSERT(((const int64_t *)values->integers.items)[2] == INT64_MAX);
    CU_ASSERT(((const double *)values->numbers.items)[0] == 0.5);
    CU_ASSERT_FATAL(values->sizes.count == 6);
    CU_ASSERT(((const uint64_t *)values->sizes.items)[3] == 3000000000u);
    CU_ASSERT(((const uint64_t *)values->sizes.items)[5] == 5ull << 30);
    CU_ASSERT_FATAL(values->durations.count == 6);
    CU_ASSERT(((const uint64_t *)values->durations.items)[0] == 1);
    CU_ASSERT(((const uint64_t *)values->durations.items)[5] == 86400000000u);
    CU_ASSERT(((const int32_t *)values->modes.items)[0] == 2);
    CU_ASSERT(((const int32_t *)values->signals.items)[1] == SIGABRT);
    CU_ASSERT_FATAL(values->values.count == 2);
    CU_ASSERT_STRING_EQUAL(values->values.keys[0], "z");
    CU_ASSERT_STRING_EQUAL(((const char *const *)values->values.values)[1], "two");
    CU_ASSERT(((const int64_t *)values->counts.values)[0] == 3);
}

static void test_defaults(void)
{
    const struct config_instance *transport;

    load("version: 1\nfilters: { a: { plugin: ratelimit, max: 5 } }\n"
         "transports: { up: { plugin: http, url: 'http://x' } }\n"
         "pipelines: { default: { filters: [a], transports: [up] } }\n",
         true);
    CU_ASSERT(config->application == NULL && config->version == NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config->spool);
    CU_ASSERT(config->spool[0] == '/');
    CU_ASSERT(config->signals ==
              (1ull << (SIGSEGV - 1) | 1ull << (SIGABRT - 1) | 1ull << (SIGBUS - 1) |
               1ull << (SIGFPE - 1) | 1ull << (SIGILL - 1) | 1ull << (SIGTRAP - 1) |
               1ull << (SIGSYS - 1)));
    CU_ASSERT(config->claim_us == 1000000 && config->hold_us == 5000000 &&
              config->pipeline_us == 20000000);
    CU_ASSERT(config->limits.reports == 50 && config->limits.total_bytes == 512ull << 20 &&
              config->limits.report_bytes == 64ull << 20 &&
              config->limits.free_bytes == 1ull << 30);
    CU_ASSERT_FATAL(config->instance_count == 2);
    CU_ASSERT(config->instances[0].timeout_us == 5000000);
    CU_ASSERT(config->instances[0].memory_bytes == 512ull << 20);
    CU_ASSERT(config->instances[0].output_bytes == 64ull << 20);
    CU_ASSERT(!config->instances[0].drop_on_error);
    transport = &config->instances[1];
    CU_ASSERT(transport->kind == CAIRN_KIND_TRANSPORT && transport->timeout_us == 60000000);
    CU_ASSERT(problems.count == 0);
}

static void test_settings(void)
{
    const struct config_pipeline *pipeline;

    load("version: 1\napplication: { name: shop, version: '1.2' }\n"
         "engine:\n  spool: /srv/crashes\n  signals: [SEGV, TERM]\n"
         "  limits: { reports: 7, total: 1GiB, report: 1MiB, free: 0B }\n"
         "  clocks: { claim: 100ms, hold: 1m, pipeline: 1h }\n"
         "filters:\n  a: { plugin: ratelimit, max: 5, timeout: 2s, on_error: drop }\n"
         "  b: { plugin: signal, signals: [SEGV] }\n"
         "writers: { a: { plugin: text, memory_limit: 1GiB, output_limit: 2kB } }\n"
         "pipelines:\n  first: { filters: [b, a], writers: [a] }\n",
         true);
    CU_ASSERT_STRING_EQUAL(config->application, "shop");
    CU_ASSERT_STRING_EQUAL(config->version, "1.2");
    CU_ASSERT_STRING_EQUAL(config->spool, "/srv/crashes");
    CU_ASSERT(config->signals == (1ull << (SIGSEGV - 1) | 1ull << (SIGTERM - 1)));
    CU_ASSERT(config->limits.reports == 7 && config->limits.total_bytes == 1ull << 30 &&
              config->limits.report_bytes == 1ull << 20 && config->limits.free_bytes == 0);
    CU_ASSERT(config->claim_us == 100000 && config->hold_us == 60000000 &&
              config->pipeline_us == 3600000000u);
    CU_ASSERT_FATAL(config->instance_count == 3 && config->pipeline_count == 1);
    CU_ASSERT(config->instances[0].drop_on_error && config->instances[0].timeout_us == 2000000);
    CU_ASSERT(config->instances[2].memory_bytes == 1ull << 30);
    CU_ASSERT(config->instances[2].output_bytes == 2000);
    pipeline = &config->pipelines[0];
    CU_ASSERT_STRING_EQUAL(pipeline->id, "first");
    CU_ASSERT(pipeline->position.line == 13 && pipeline->position.column == 3);
    CU_ASSERT_FATAL(pipeline->stages[CAIRN_KIND_FILTER].count == 2);
    CU_ASSERT(pipeline->stages[CAIRN_KIND_FILTER].instances[0] == 1);
    CU_ASSERT(pipeline->stages[CAIRN_KIND_FILTER].instances[1] == 0);
    CU_ASSERT(pipeline->stages[CAIRN_KIND_WRITER].instances[0] == 2);
    CU_ASSERT(pipeline->stages[CAIRN_KIND_HOOK].count == 0);
}

static void test_choose(void)
{
    load("version: 1\nfilters: { a: { plugin: ratelimit, max: 5 } }\npipelines:\n"
         "  tree: { match: { exe: '/opt/shop/*' }, filters: [a] }\n"
         "  name: { match: { exe: [shop, 'shop-*'], user: 'www*' } }\n"
         "  both: { match: { application: till, user: [till, root] } }\n"
         "  rest: {}\n",
         true);
    CU_ASSERT_STRING_EQUAL(config_choose(config, "/opt/shop/bin/x", "u", "a")->id, "tree");
    CU_ASSERT_STRING_EQUAL(config_choose(config, "/usr/bin/shop", "www-data", "a")->id, "name");
    CU_ASSERT_STRING_EQUAL(config_choose(config, "/usr/bin/shop-2", "www", "till")->id, "name");
    CU_ASSERT_STRING_EQUAL(config_choose(config, "/usr/bin/shop", "root", "a")->id, "rest");
    CU_ASSERT_STRING_EQUAL(config_choose(config, "/bin/x", "root", "till")->id, "both");
    CU_ASSERT_STRING_EQUAL(config_choose(config, NULL, NULL, NULL)->id, "rest");
    load("version: 1\npipelines: { only: { match: { exe: x } } }\n", true);
    CU_ASSERT_PTR_NULL(config_choose(config, "/bin/y", "root", "y"));
}

static void test_positions(void)
{
    struct config_position position;

    load("version: 1\nfilters:\n  a:\n    plugin: ratelimit\n    max: 5\n" PIPELINES, true);
    position = config_option_position(&config->instances[0], "max");
    CU_ASSERT(position.line == 5 && position.column == 10);
    position = config_option_position(&config->instances[0], "per");
    CU_ASSERT(position.line == 3 && position.column == 3);
    CU_ASSERT_STRING_EQUAL(position.file, file);
    CU_ASSERT_STRING_EQUAL(config_section(CAIRN_KIND_HOOK), "hooks");
    CU_ASSERT_STRING_EQUAL(config_kind(CAIRN_KIND_TRANSPORT), "transport");
    CU_ASSERT_STRING_EQUAL(config_kind(99), "");
}

static void test_installed(void)
{
    const char *root = getenv("CAIRN_SRCDIR");
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/config/cairn.yaml", root != NULL ? root : ".");
    load_file(path);
    CU_ASSERT(result == 0 && problems.count == 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT(config->pipeline_count == 1);
    CU_ASSERT_PTR_NOT_NULL(config_choose(config, "/bin/x", "root", "x"));
}

/* ---- Paths and substitution ---------------------------------------------------------------- */

static void test_paths(void)
{
    const char *const *paths;
    char wanted[PATH_MAX];

    setenv("HOME", "/home/me/", 1);
    load("version: 1\nengine: { spool: '~' }\nfilters:\n  a:\n    plugin: everything\n"
         "    paths: ['~/x', x/y, ./x, ../x, /]\n" PIPELINES,
         true);
    CU_ASSERT_STRING_EQUAL(config->spool, "/home/me");
    CU_ASSERT_FATAL(bound()->paths.count == 5);
    paths = bound()->paths.items;
    CU_ASSERT_STRING_EQUAL(paths[0], "/home/me/x");
    snprintf(wanted, sizeof(wanted), "%s/x/y", folder);
    CU_ASSERT_STRING_EQUAL(paths[1], wanted);
    snprintf(wanted, sizeof(wanted), "%s/x", folder);
    CU_ASSERT_STRING_EQUAL(paths[2], wanted);
    snprintf(wanted, sizeof(wanted), "%s/../x", folder);
    CU_ASSERT_STRING_EQUAL(paths[3], wanted);
    CU_ASSERT_STRING_EQUAL(paths[4], "/");

    unsetenv("HOME");
    load("version: 1\nengine: { spool: ~/x }\nfilters: { a: { plugin: everything } }\n" PIPELINES,
         true);
    CU_ASSERT(config->spool[0] == '/' &&
              strcmp(config->spool + strlen(config->spool) - 2, "/x") == 0);
}

static void test_relative_name(void)
{
    char before[PATH_MAX], wanted[PATH_MAX + 16];

    CU_ASSERT_FATAL(getcwd(before, sizeof(before)) != NULL && chdir(folder) == 0);
    load_file("cairn.yaml");
    CU_ASSERT(result == 0);
    load("version: 1\nengine: { spool: s }\nfilters: { a: { plugin: everything } }\n" PIPELINES,
         true);
    load_file("cairn.yaml");
    CU_ASSERT_FATAL(result == 0);
    snprintf(wanted, sizeof(wanted), "%s/s", folder);
    CU_ASSERT_STRING_EQUAL(config->spool, wanted);
    CU_ASSERT(chdir(before) == 0);
}

static void test_substitution(void)
{
    char secret[PATH_MAX], text[PATH_MAX + 512];
    const char *const *strings;

    setenv("CAIRN_TEST_A", "one: [two]", 1);
    setenv("CAIRN_TEST_EMPTY", "", 1);
    unsetenv("CAIRN_TEST_UNSET");
    snprintf(secret, sizeof(secret), "%s/token", folder);
    write_file(secret, "${env:X}\n\n", 10, 0640);
    snprintf(text, sizeof(text),
             "version: ${env:CAIRN_TEST_UNSET:-1}\nfilters:\n  a:\n    plugin: everything\n"
             "    secret: ${file:%s}\n    strings:\n"
             "    - ${env:CAIRN_TEST_A}\n    - 'x${env:CAIRN_TEST_EMPTY:-default text}y'\n"
             "    - '[${env:CAIRN_TEST_EMPTY}]'\n    - '$$a $b $${env:X} $'\n" PIPELINES,
             secret);
    load(text, true);
    CU_ASSERT_STRING_EQUAL(bound()->secret, "${env:X}\n");
    CU_ASSERT_FATAL(bound()->strings.count == 4);
    strings = bound()->strings.items;
    CU_ASSERT_STRING_EQUAL(strings[0], "one: [two]");
    CU_ASSERT_STRING_EQUAL(strings[1], "xdefault texty");
    CU_ASSERT_STRING_EQUAL(strings[2], "[]");
    CU_ASSERT_STRING_EQUAL(strings[3], "$a $b ${env:X} $");
    CU_ASSERT(config_get(config->instances[0].node, "secret")->secret);
    CU_ASSERT(!config_get(config->root, "version")->secret);
}

/* Loads a configuration whose one secret comes from `path` and is refused. */
static void expect_refused(const char *path, const char *why)
{
    char text[PATH_MAX + 128];

    snprintf(text, sizeof(text),
             "version: 1\nfilters: { a: { plugin: everything, secret: '${file:%s}' } }\n" PIPELINES,
             path);
    load(text, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(complaint(), why));
    CU_ASSERT(problems.items[0].position.column == 46);
}

static void test_secret_files(void)
{
    char secret[PATH_MAX], link[PATH_MAX];
    char *large = calloc(1, 65538);

    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    snprintf(secret, sizeof(secret), "%s/secret", folder);
    snprintf(link, sizeof(link), "%s/link", folder);
    memset(large, 'x', 65537);
    write_file(secret, large, 65537, 0600);
    expect_refused(secret, "is larger than 64 KiB");
    write_file(secret, "a\0b", 3, 0600);
    expect_refused(secret, "does not hold plain UTF-8 text");
    write_file(secret, "x", 1, 0604);
    expect_refused(secret, "can be read by everyone");
    unlink(secret);
    CU_ASSERT(mkfifo(secret, 0600) == 0);
    expect_refused(secret, "is not a regular file");
    unlink(secret);
    expect_refused(secret, "cannot be opened: No such file");
    write_file(secret, large, 65536, 0600);
    CU_ASSERT(symlink(secret, link) == 0);
    snprintf(large, 65538,
             "version: 1\nfilters: { a: { plugin: everything, secret: '${file:%s}' } }\n" PIPELINES,
             link);
    load(large, true);
    CU_ASSERT(strlen(bound()->secret) == 65536);
    free(large);
}

static void test_substitution_budget(void)
{
    char secret[PATH_MAX], content[4096];
    struct buf text;

    snprintf(secret, sizeof(secret), "%s/budget", folder);
    buf_init(&text, 1 << 20);
    memset(content, 'x', sizeof(content));
    for (int i = 0; i < 16; i++) {
        buf_add(&text, content, sizeof(content));
    }
    write_file(secret, text.data, text.bytes, 0600);
    buf_finish(&text);
    buf_text(&text, "version: 1\nfilters: { a: { plugin: everything, strings: [");
    for (int i = 0; i < 65; i++) {
        buf_printf(&text, "'${file:%s}', ", secret);
    }
    buf_text(&text, "] } }\n" PIPELINES);
    load(text.data, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(complaint(), "more than 4 MiB"));
    CU_ASSERT(problems.count == 1);
    buf_finish(&text);
    buf_printf(&text,
               "version: 1\nfilters: { a: { plugin: everything, string: '${file:%s}${file:%s}"
               "${file:%s}${file:%s}${file:%s}' } }\n" PIPELINES,
               secret, secret, secret, secret, secret);
    load(text.data, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(complaint(), "longer than 256 KiB"));
    buf_finish(&text);
}

/* ---- Files --------------------------------------------------------------------------------- */

static void test_files(void)
{
    char path[PATH_MAX], *large = malloc((1 << 20) + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    snprintf(path, sizeof(path), "%s/none.yaml", folder);
    load_file(path);
    CU_ASSERT(result == CAIRN_ENOENT && config == NULL && problems.errors == 1);
    CU_ASSERT_STRING_EQUAL(complaint(), "there is no such file");
    CU_ASSERT_STRING_EQUAL(problems.items[0].position.file, path);
    load_file(folder);
    CU_ASSERT(result == CAIRN_ESYSTEM);
    CU_ASSERT_STRING_EQUAL(complaint(), "this is a folder, not a file");
    CU_ASSERT(mkfifo(path, 0600) == 0);
    load_file(path);
    CU_ASSERT(result == CAIRN_ESYSTEM);
    CU_ASSERT_STRING_EQUAL(complaint(), "this is not a regular file");
    unlink(path);
    load_file("/dev/null/x");
    CU_ASSERT_STRING_EQUAL(complaint(), "the file cannot be opened: Not a directory");
    memset(large, '#', (1 << 20) + 1);
    write_file(path, large, (1 << 20) + 1, 0600);
    load_file(path);
    CU_ASSERT(result == CAIRN_ECONFIG && config == NULL);
    CU_ASSERT_STRING_EQUAL(complaint(), "the file is larger than 1 MiB");
    memcpy(large + (1 << 20) - 36, "\nversion: 1\npipelines: { p: {} }\n###", 36);
    write_file(path, large, 1 << 20, 0600);
    load_file(path);
    CU_ASSERT(result == 0);
    free(large);
}

static void load_text_fd(const char *text, const char *name)
{
    int fd = memfd_create("config", MFD_CLOEXEC);

    unload();
    config_problems_init(&problems);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    /* The offset is at the end: another reader of the same descriptor may have left it there. */
    result = config_load(NULL, fd, name, &config, &problems);
    close(fd);
}

static void test_descriptor(void)
{
    const char *text = "version: 1\nengine: { spool: s }\npipelines: { p: {} }\n";

    load_text_fd("version: 1\npipelines: { p: {} }\n", "(text)");
    CU_ASSERT(result == 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_STRING_EQUAL(config->name, "(text)");
    CU_ASSERT_STRING_EQUAL(config->source, "version: 1\npipelines: { p: {} }\n");
    CU_ASSERT(config->source_bytes == strlen(config->source));
    load_text_fd(text, "(text)");
    CU_ASSERT(result == CAIRN_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(complaint(), "this text comes from none"));
    load_text_fd(text, "/etc/shop/cairn.yaml");
    CU_ASSERT(result == 0);
    CU_ASSERT_STRING_EQUAL(config->spool, "/etc/shop/s");
    load_text_fd("", "(text)");
    CU_ASSERT(result == CAIRN_ECONFIG && config != NULL);
}

/* ---- Problems ------------------------------------------------------------------------------ */

static void test_problem_list(void)
{
    struct config_position position = { "f", 1, 1 };
    struct buf text;

    unload();
    config_problems_init(&problems);
    for (int i = 0; i < 30; i++) {
        config_warning_add(&problems, position, "", "warning %d", i);
    }
    CU_ASSERT(problems.count == CONFIG_MAX_PROBLEMS && problems.omitted == 10);
    CU_ASSERT(problems.errors == 0);
    position.line = 0;
    config_problem_add(&problems, position, "a.b", "bad\n\x1b[31m %s", "\xff");
    CU_ASSERT(problems.errors == 1 && problems.omitted == 11);
    buf_init(&text, 1 << 16);
    config_problems_print(&problems, NULL, &text);
    CU_ASSERT(strncmp(text.data, "f: a.b: bad \\x1b[31m \xef\xbf\xbd\n", 24) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "f:1:1: warning: warning 18\n"));
    CU_ASSERT_PTR_NULL(strstr(text.data, "warning 19"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "… and 11 more problems\n"));
    buf_finish(&text);
}

static void test_excerpt_bounds(void)
{
    static const struct config_position positions[] = {
        { "f", 1, 500 },
        { "f", 9, 1 },
        { "f", 4000000000u, 4000000000u },
        { NULL, 2, 1 },
    };
    struct buf text;

    unload();
    config_problems_init(&problems);
    for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
        config_problem_add(&problems, positions[i], "", "x");
    }
    buf_init(&text, 1 << 16);
    config_problems_print(&problems, "abc\n\xff\xfe\n", &text);
    CU_ASSERT_STRING_EQUAL(text.data, "f:1:500: x\n    …\n     ^\nconfiguration:2:1: x\n"
                                      "    \xef\xbf\xbd\xef\xbf\xbd\n    ^\nf:9:1: x\n"
                                      "f:4000000000:4000000000: x\n");
    buf_finish(&text);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "scalars of every type", test_scalars },
        { "what is absent", test_absent },
        { "lists and maps", test_lists_and_maps },
        { "defaults", test_defaults },
        { "settings", test_settings },
        { "choosing a pipeline", test_choose },
        { "positions of options", test_positions },
        { "the installed configuration", test_installed },
        { "paths", test_paths },
        { "a relative file name", test_relative_name },
        { "substitution", test_substitution },
        { "files of secrets", test_secret_files },
        { "the budget of substitution", test_substitution_budget },
        { "files that are no configuration", test_files },
        { "a descriptor", test_descriptor },
        { "the list of problems", test_problem_list },
        { "excerpts of places that are not there", test_excerpt_bounds },
        { NULL, NULL },
    };
    int status;

    umask(022);
    if (mkdtemp(folder) == NULL) {
        printf("Bail out! no scratch folder\n");
        return 99;
    }
    snprintf(file, sizeof(file), "%s/cairn.yaml", folder);
    status = tap_run("config", tests);
    unload();
    fs_remove_tree(AT_FDCWD, folder, NULL);
    return status;
}
