/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn-engine: takes reports through the pipeline; one process per crash, and one for every check
 * of a configuration. Command lines and exit codes are those of doc/architecture.md. [engine]
 */
#include "config.h"

#include "core/engine/engine.h"
#include "core/util/log.h"
#include "core/util/nocore.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char help[] =
    "usage: cairn-engine check   [--plan] [--format json] [--deny-warnings] [CONFIG]\n"
    "                            [--application NAME] [--version V] [--executable EXE]\n"
    "       cairn-engine report  --folder DIR [--lock-fd N] [--place-fd N] [CONFIG]\n"
    "                            [--application NAME] [--version V] [--executable EXE]\n"
    "       cairn-engine recover --application-folder DIR [CONFIG]\n"
    "       cairn-engine import  [--wait] [CONFIG] [--application NAME] [--version V] FILE.dmp\n"
    "       cairn-engine --help | --version\n"
    "\n"
    "CONFIG is --config FILE or --config-fd N.\n"
    "\n"
    "check    checks a configuration; with --plan prints what a program must know of it\n"
    "report   takes a captured crash through the pipeline\n"
    "recover  finishes what was left behind in an application's incoming folder\n"
    "import   takes a minidump of any reporter through the pipeline, prints the report's id\n"
    "\n"
    "Exit status: 0 done, 64 wrong usage, 65 not a minidump, 66 no such input, 70 Cairn's own "
    "failure,\n"
    "71 the system refused, 73 an output cannot be made, 75 try again later, 77 not permitted,\n"
    "78 the configuration has problems.\n";

struct mode {
    const char *name;
    int (*run)(const struct engine_options *options);
    const char *accepts;  /* the short letters of its options */
    const char *requires; /* the one it cannot do without, or "" */
    bool takes_file;
};

static const struct mode modes[] = {
    { "check", engine_check, "pcCavxjd", "", false },
    { "report", engine_report, "cCavxFLP", "F", false },
    { "recover", engine_recover, "cCA", "A", false },
    { "import", engine_import, "wcCav", "", true },
};

static const struct option long_options[] = {
    { "plan", no_argument, NULL, 'p' },
    { "wait", no_argument, NULL, 'w' },
    { "format", required_argument, NULL, 'j' },
    { "deny-warnings", no_argument, NULL, 'd' },
    { "config", required_argument, NULL, 'c' },
    { "config-fd", required_argument, NULL, 'C' },
    { "application", required_argument, NULL, 'a' },
    { "version", required_argument, NULL, 'v' },
    { "executable", required_argument, NULL, 'x' },
    { "folder", required_argument, NULL, 'F' },
    { "lock-fd", required_argument, NULL, 'L' },
    { "place-fd", required_argument, NULL, 'P' },
    { "application-folder", required_argument, NULL, 'A' },
    { NULL, 0, NULL, 0 },
};

static int usage(const char *sentence, const char *value)
{
    fprintf(stderr, "cairn-engine: %s%s.\n", sentence, value);
    fputs("Try cairn-engine --help.\n", stderr);
    return EX_USAGE;
}

static bool parse_descriptor(const char *text, int *ret_fd)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > INT_MAX) {
        return false;
    }
    *ret_fd = (int)number;
    return true;
}

/* Stores one option; false for a value that is none of it. */
static bool store(struct engine_options *options, int letter, const char *value)
{
    switch (letter) {
    case 'p':
        options->plan = true;
        return true;
    case 'w':
        options->wait = true;
        return true;
    case 'd':
        options->deny_warnings = true;
        return true;
    case 'j':
        options->json = strcmp(value, "json") == 0;
        return options->json || strcmp(value, "text") == 0;
    case 'C':
        return parse_descriptor(value, &options->config_fd);
    case 'L':
        return parse_descriptor(value, &options->lock_fd);
    case 'P':
        return parse_descriptor(value, &options->place_fd);
    default:
        break;
    }
    *(letter == 'c'   ? &options->config_path
      : letter == 'a' ? &options->application
      : letter == 'v' ? &options->version
      : letter == 'x' ? &options->executable
      : letter == 'F' ? &options->folder
                      : &options->application_folder) = value;
    return true;
}

/* What getopt cannot know: options that exclude or need each other, and the file. */
static int check_arguments(const struct mode *mode, const struct engine_options *options,
                           const char *given, int file_count)
{
    if (options->config_path != NULL && options->config_fd >= 0) {
        return usage("--config and --config-fd exclude each other", "");
    }
    if (mode->requires[0] != '\0' && strchr(given, mode->requires[0]) == NULL) {
        return usage("the folder is missing in the mode ", mode->name);
    }
    if (file_count != (mode->takes_file ? 1 : 0)) {
        return usage(mode->takes_file ? "exactly one minidump must be named in the mode "
                                      : "there are too many arguments for the mode ",
                     mode->name);
    }
    return EX_OK;
}

static int parse(const struct mode *mode, int argc, char **argv, struct engine_options *options)
{
    char given[sizeof(long_options) / sizeof(long_options[0])] = "";
    int letter;

    opterr = 0;
    while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (letter == '?' || strchr(mode->accepts, letter) == NULL) {
            return usage("this mode has no such option, or its value is missing: ",
                         argv[optind - 1]);
        }
        if (!store(options, letter, optarg)) {
            return usage(letter == 'j' ? "a format is text or json, not "
                                       : "a descriptor is a number, not ",
                         optarg);
        }
        if (strchr(given, letter) == NULL) {
            given[strlen(given)] = (char)letter;
        }
    }
    options->file = argv[optind];
    return check_arguments(mode, options, given, argc - optind);
}

int main(int argc, char **argv)
{
    struct engine_options options = { .config_fd = -1, .lock_fd = -1, .place_fd = -1 };

    log_init("cairn-engine", 2, LOG_LEVEL_WARNING);
    nocore();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* ignored, it would keep the ends of steps from us */
    if (argc < 2) {
        return usage("a mode is missing", "");
    }
    if (strcmp(argv[1], "--help") == 0) {
        return fputs(help, stdout) >= 0 ? EX_OK : EX_IOERR;
    }
    if (strcmp(argv[1], "--version") == 0) {
        return puts("cairn-engine " PACKAGE_VERSION) >= 0 ? EX_OK : EX_IOERR;
    }
    if (strcmp(argv[1], "start") == 0) {
        return engine_begin(argc - 2, argv + 2);
    }
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(argv[1], modes[i].name) == 0) {
            int code = parse(&modes[i], argc - 1, argv + 1, &options);

            return code == EX_OK ? modes[i].run(&options) : code;
        }
    }
    return usage("there is no mode ", argv[1]);
}
