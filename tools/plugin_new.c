/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn plugin new`: a folder with a plugin to start from, which compiles and passes its test at
 * once. Runs in an author's shell.
 */
#include "tools/options.h"
#include "tools/plugin_template.h"
#include "tools/plugin_tools.h"

#include "core/config/config.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_NAME   64
#define TEXT_LIMIT (64u * 1024)

/* What stands in the place of a word between two @. */
struct word {
    const char *name, *value;
};
#define WORDS 6

/* How a kind's template is tried. */
static const struct trial {
    enum cairn_kind kind;
    const char *options;      /* in the README */
    const char *test_options; /* in the test's here-document */
    const char *wanted;       /* in what `cairn plugin run` prints */
} trials[] = {
    { CAIRN_KIND_FILTER, ", applications: [\"test-*\"]", ", applications: [\"test-*\"]", "^keep$" },
    { CAIRN_KIND_ANNOTATOR, ", attribute: load", ", attribute: load", "^load: " },
    { CAIRN_KIND_WRITER, ", fields: [crash.signal, signature]",
      ", fields: [crash.signal, signature]", "^crash.signal: SIGSEGV$" },
    { CAIRN_KIND_HOOK, ", file: /var/log/crashes.log", ", file: $work/log", "^log: " },
    { CAIRN_KIND_TRANSPORT, ", file: /mnt/share/crashes.csv", ", file: $work/sent", "^delivered" },
};

static bool is_name(const char *name)
{
    size_t bytes = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

    return name[0] >= 'a' && name[0] <= 'z' && bytes <= MAX_NAME && name[bytes] == '\0';
}

static const struct trial *find_trial(const char *kind)
{
    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
        if (strcmp(config_kind(trials[i].kind), kind) == 0) {
            return &trials[i];
        }
    }
    return NULL;
}

/* ---- Texts ---- */

/* The word that begins at `text`, which is an '@'; NULL: it is only an '@'. */
static const struct word *word_at(const char *text, const struct word words[WORDS])
{
    for (size_t i = 0; i < WORDS; i++) {
        size_t bytes = strlen(words[i].name);

        if (strncmp(text + 1, words[i].name, bytes) == 0 && text[1 + bytes] == '@') {
            return &words[i];
        }
    }
    return NULL;
}

static void expand(const char *text, const struct word words[WORDS], struct buf *out)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, "@");
        const struct word *word;

        buf_add(out, text, plain);
        text += plain;
        if (*text == '\0') {
            break;
        }
        word = word_at(text, words);
        buf_text(out, word != NULL ? word->value : "@");
        text += word != NULL ? strlen(word->name) + 2 : 1;
    }
}

static int write_file(int folder, const char *name, const struct buf *text)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    int result;

    if (fd < 0) {
        return -1;
    }
    result = fs_write_all(fd, text->data, text->bytes);
    return close(fd) == 0 ? result : -1;
}

static int write_template(int folder, const struct plugin_template *template,
                          const struct word words[WORDS])
{
    struct buf name, text;
    int result = -1;

    buf_init(&name, TEXT_LIMIT);
    buf_init(&text, TEXT_LIMIT);
    expand(template->name, words, &name);
    expand(template->text, words, &text);
    if (name.failed == 0 && text.failed == 0) {
        result = write_file(folder, name.data, &text);
    } else {
        errno = ENOMEM;
    }
    buf_finish(&name);
    buf_finish(&text);
    return result;
}

/* ---- The folder ---- */

/* Nobody else may write into it, whatever the umask: else its plugin would not be loaded. */
static int make_folder(const char *name)
{
    if (mkdir(name, 0755) != 0 || chmod(name, 0755) != 0) {
        return -1;
    }
    return open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int write_plugin(const struct tool *tool, const struct trial *trial, const char *name)
{
    const struct word words[WORDS] = {
        { "NAME", name },
        { "KIND", config_kind(trial->kind) },
        { "SECTION", config_section(trial->kind) },
        { "OPTIONS", trial->options },
        { "TEST_OPTIONS", trial->test_options },
        { "WANTED", trial->wanted },
    };
    int folder = make_folder(name), result = 0;

    if (folder < 0) {
        return tool_fail(tool, EX_CANTCREAT, "The folder %s cannot be made: %s.", name,
                         strerror(errno));
    }
    for (const struct plugin_template *file = plugin_templates; file->name != NULL; file++) {
        if (result == 0 &&
            (file->kind == NULL || strcmp(file->kind, config_kind(trial->kind)) == 0)) {
            result = write_template(folder, file, words);
        }
    }
    close(folder);
    if (result != 0) {
        return tool_fail(tool, EX_CANTCREAT, "A file in %s cannot be written: %s.", name,
                         strerror(errno));
    }
    printf("The %s %s is in ./%s: \"make check\" there builds and tries it.\n",
           config_kind(trial->kind), name, name);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

int plugin_new(const struct tool *tool, int argc, char **argv)
{
    static const char *const kinds[] = {
        "filter", "annotator", "writer", "hook", "transport", NULL
    };
    struct tool_options options;
    int code = tool_parse(tool, "", argc, argv, &options);
    const struct trial *trial;
    const char *nearest;

    if (code != TOOL_GO_ON) {
        return code;
    }
    if (argc - optind != 2) {
        return tool_usage(tool, "A kind and a name must be given.");
    }
    trial = find_trial(argv[optind]);
    if (trial == NULL) {
        nearest = text_nearest(argv[optind], kinds);
        return tool_usage(tool, "There is no kind \"%s\"%s%s%s.", argv[optind],
                          nearest != NULL ? " (did you mean \"" : "",
                          nearest != NULL ? nearest : "", nearest != NULL ? "\"?)" : "");
    }
    if (!is_name(argv[optind + 1])) {
        return tool_usage(tool, "\"%s\" is not a plugin's name: [a-z][a-z0-9_-]*.",
                          argv[optind + 1]);
    }
    return write_plugin(tool, trial, argv[optind + 1]);
}
