/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn-sender: delivers what waits in the spool. Started by the engine after a commit, by the
 * start of a program, by `cairn send`, or as a service. Exit codes are those of
 * doc/architecture.md. [sender]
 */
#include "config.h"

#include "core/sender/sender.h"

#include "core/util/log.h"
#include "core/util/nocore.h"
#include "core/util/paths.h"
#include "core/util/text.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

static const char help[] =
    "usage: cairn-sender [--config FILE | --config-fd N] [--spool DIR] [--application NAME]\n"
    "                    [--id ID]... [--now] [--quiet | --progress]\n"
    "\n"
    "      --config FILE, --config-fd N  transports of this configuration; default: of the one "
    "that\n"
    "                                    each report was made with\n"
    "      --spool DIR                   the spool; default: the configuration's\n"
    "      --application NAME            only reports of this application\n"
    "      --id ID                       only this report\n"
    "      --now                         whatever the reports' next time\n"
    "      --quiet                       log nothing\n"
    "      --progress                    print a line per attempt\n"
    "\n"
    "Exit status: 0 all that was due is done, 64 wrong usage, 71 the system refused, 75 something\n"
    "still waits, 78 the configuration has problems.\n";

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "config-fd", required_argument, NULL, 'C' },
    { "spool", required_argument, NULL, 's' },
    { "application", required_argument, NULL, 'a' },
    { "id", required_argument, NULL, 'i' },
    { "now", no_argument, NULL, 'n' },
    { "quiet", no_argument, NULL, 'q' },
    { "progress", no_argument, NULL, 'p' },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 },
};

static int usage(const char *sentence, const char *value)
{
    fprintf(stderr, "cairn-sender: %s%s.\nTry cairn-sender --help.\n", sentence, value);
    return EX_USAGE;
}

static int store_descriptor(const char *text, int *ret_fd)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > INT_MAX) {
        return usage("a descriptor is a number, not ", text);
    }
    *ret_fd = (int)number;
    return EX_OK;
}

static int store_id(struct sender_options *options, const char *id)
{
    static const char *ids[SENDER_MAX_IDS];

    if (!text_is_uuid(id)) {
        return usage("an id is a UUID, not ", id);
    }
    if (options->id_count == SENDER_MAX_IDS) {
        return usage("there are too many ids, from ", id);
    }
    options->ids = ids;
    ids[options->id_count++] = id;
    return EX_OK;
}

static int store(struct sender_options *options, int letter, const char *value)
{
    switch (letter) {
    case 'C':
        return store_descriptor(value, &options->config_fd);
    case 'i':
        return store_id(options, value);
    case 'c':
        options->config_path = value;
        return EX_OK;
    case 's':
        options->spool = value;
        return EX_OK;
    case 'a':
        options->application = value;
        return EX_OK;
    case 'n':
        options->now = true;
        return EX_OK;
    case 'q':
        options->quiet = true;
        return EX_OK;
    default:
        options->progress = true;
        return EX_OK;
    }
}

/* An exit code, or -1 to go on. */
static int parse(int argc, char **argv, struct sender_options *options)
{
    int letter, code = EX_OK;

    opterr = 0;
    while (code == EX_OK && (letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (letter) {
        case 'h':
            return fputs(help, stdout) >= 0 ? EX_OK : EX_IOERR;
        case 'V':
            return puts("cairn-sender " PACKAGE_VERSION) >= 0 ? EX_OK : EX_IOERR;
        case '?':
            return usage("there is no such option, or its value is missing: ", argv[optind - 1]);
        default:
            code = store(options, letter, optarg);
        }
    }
    if (code != EX_OK) {
        return code;
    }
    if (optind < argc) {
        return usage("this argument is not expected: ", argv[optind]);
    }
    if (options->config_path != NULL && options->config_fd >= 0) {
        return usage("--config and --config-fd exclude each other", "");
    }
    return -1;
}

static int run_configured(const struct sender_options *options)
{
    struct plugin_setup setup;
    int code = EX_CONFIG;

    if (sender_setup_load(&setup, options, NULL, -1) != 0) {
        plugin_setup_print_problems(&setup, STDERR_FILENO);
    } else {
        code = sender_batch(options, options->spool != NULL ? options->spool : setup.config->spool,
                            &setup);
    }
    plugin_setup_finish(&setup);
    return code;
}

/* Where the installed configuration has its reports; each is delivered as its own says. */
static int run_by_reports(const struct sender_options *options)
{
    char fallback[PATH_MAX];
    struct plugin_setup setup;
    const char *spool = options->spool;
    int code;

    if (spool != NULL) {
        return sender_batch(options, spool, NULL);
    }
    sender_setup_load(&setup, options, NULL, -1);
    spool = setup.config != NULL && setup.config->spool != NULL
                ? setup.config->spool
                : paths_default_spool(fallback, sizeof(fallback));
    code = spool != NULL ? sender_batch(options, spool, NULL)
                         : usage("no spool is known; name it by --spool", "");
    plugin_setup_finish(&setup);
    return code;
}

int main(int argc, char **argv)
{
    struct sender_options options = { .config_fd = -1 };
    int code = parse(argc, argv, &options);

    if (code >= 0) {
        return code;
    }
    log_init("cairn-sender", options.quiet ? -1 : 2, LOG_LEVEL_WARNING);
    nocore();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* ignored, it would keep the ends of steps from us */
    return options.config_path != NULL || options.config_fd >= 0 ? run_configured(&options)
                                                                 : run_by_reports(&options);
}
