/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn consent`: records what a user or the administrator answers to the questions of
 * core/report/consent.h, and shows what the answers come to under a configuration. Runs in a user's
 * shell.
 */
#include "tools/options.h"

#include "core/plugin/setup.h"
#include "core/report/consent.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_APPLICATION_BYTES 255

struct view {
    const struct tool *tool;
    const struct tool_options *options;
    struct plugin_setup setup;
    struct consent *consent;
    struct {
        enum consent_verdict verdict;
        struct error why;
    } classes[CONSENT_CLASSES];
};

/* ---- What the answers come to -------------------------------------------------------------- */

static bool is_required(const struct view *view, enum consent_class class)
{
    const struct config *config = view->setup.config;

    return (class == CONSENT_DISK ? config->disk_consent : config->network_consent) ==
           CONFIG_CONSENT_REQUIRED;
}

/* The application that is asked about: NULL for one that nobody answered for by its name. */
static const char *application_of(const struct view *view)
{
    return view->options->application != NULL ? view->options->application
                                              : view->setup.config->application;
}

/* A file that could not be read now has no verdict: nothing is done until it can. */
static void judge(struct view *view)
{
    for (int class = 0; class < CONSENT_CLASSES; class ++) {
        if (consent_judge(view->consent, class, application_of(view), is_required(view, class),
                          &view->classes[class].verdict, &view->classes[class].why) != 0) {
            view->classes[class].verdict = CONSENT_MISSING;
        }
    }
}

static bool uses_network(const struct view *view, size_t index)
{
    const struct plugin_facts *facts = view->setup.plugins.facts[index];

    return facts != NULL && plugin_uses_network(&view->setup.config->instances[index], facts);
}

/* ---- As text ------------------------------------------------------------------------------- */

static void print_transports(const struct view *view)
{
    static const char *const words[] = { "delivers", "reports wait", "reports stay here" };
    const struct config *config = view->setup.config;
    const char *title = "\nTransports\n";

    for (size_t i = 0; i < config->instance_count; i++) {
        const struct config_instance *instance = &config->instances[i];
        bool network = uses_network(view, i);

        if (instance->kind != CAIRN_KIND_TRANSPORT) {
            continue;
        }
        printf("%s  %-16s %-12s %s: %s\n", title, instance->id, instance->plugin,
               network ? "over the network" : "without the network",
               words[network ? view->classes[CONSENT_NETWORK].verdict : CONSENT_ALLOWED]);
        title = "";
    }
}

/* Hooks, say, that start programs which may use the network. */
static void print_others(const struct view *view)
{
    const struct config *config = view->setup.config;
    bool runs = view->classes[CONSENT_NETWORK].verdict == CONSENT_ALLOWED;
    const char *title = "\nOthers that can use the network\n";

    for (size_t i = 0; i < config->instance_count; i++) {
        const struct config_instance *instance = &config->instances[i];

        if (instance->kind != CAIRN_KIND_TRANSPORT && uses_network(view, i)) {
            printf("%s  %-16s %-12s %s: %s\n", title, instance->id, instance->plugin,
                   config_kind(instance->kind), runs ? "is run" : "is not run");
            title = "";
        }
    }
}

static void print_answers(const struct consent_file *file)
{
    if (file->path[0] == '\0') {
        return;
    }
    printf("\n%s (%s)\n", file->machine ? "Answers for the machine" : "The user's answers",
           file->path);
    if (file->state != 0) {
        printf("  %s\n", file->error.text);
    } else if (file->count == 0) {
        puts("  none");
    }
    for (size_t i = 0; i < file->count; i++) {
        const struct consent_entry *entry = &file->entries[i];

        printf("  %-8s %-8s %s by %s", consent_class_name(entry->class),
               consent_answer_name(entry->answer), entry->when, entry->who);
        printf("%s%s\n", entry->application[0] != '\0' ? ", for " : "", entry->application);
    }
}

static void print_text(const struct view *view)
{
    static const char *const kept[] = { "kept", "not kept", "not kept" };
    static const char *const sent[] = { "sent", "waiting", "not sent" };

    if (application_of(view) != NULL) {
        printf("Of the application %s:\n\n", application_of(view));
    }
    printf("disk     reports are %-9s %s\n", kept[view->classes[CONSENT_DISK].verdict],
           view->classes[CONSENT_DISK].why.text);
    printf("network  reports are %-9s %s\n", sent[view->classes[CONSENT_NETWORK].verdict],
           view->classes[CONSENT_NETWORK].why.text);
    print_transports(view);
    print_others(view);
    print_answers(&view->consent->machine);
    print_answers(&view->consent->user);
}

/* ---- As JSON ------------------------------------------------------------------------------- */

static const char *verdict_name(enum consent_verdict verdict)
{
    static const char *const names[] = { "allowed", "missing", "refused" };

    return names[verdict];
}

static void print_class_json(const struct view *view, enum consent_class class)
{
    printf(",\n  \"%s\": {\"setting\": \"%s\", \"verdict\": \"%s\", \"why\": ",
           consent_class_name(class), is_required(view, class) ? "required" : "implied",
           verdict_name(view->classes[class].verdict));
    tool_print_json(view->classes[class].why.text);
    putchar('}');
}

static void print_instance_json(const struct view *view, size_t index, const char *separator)
{
    const struct config_instance *instance = &view->setup.config->instances[index];
    bool network = uses_network(view, index);

    printf("%s\n    {\"kind\": \"%s\", \"id\": \"%s\", \"plugin\": \"%s\", \"network\": %s, "
           "\"verdict\": \"%s\"}",
           separator, config_kind(instance->kind), instance->id, instance->plugin,
           network ? "true" : "false",
           verdict_name(network ? view->classes[CONSENT_NETWORK].verdict : CONSENT_ALLOWED));
}

/* The transports, or what else can use the network. */
static void print_instances_json(const struct view *view, const char *key, bool transports)
{
    const struct config *config = view->setup.config;
    const char *separator = "";

    printf(",\n  \"%s\": [", key);
    for (size_t i = 0; i < config->instance_count; i++) {
        bool transport = config->instances[i].kind == CAIRN_KIND_TRANSPORT;

        if (transport == transports && (transport || uses_network(view, i))) {
            print_instance_json(view, i, separator);
            separator = ",";
        }
    }
    fputs(separator[0] != '\0' ? "\n  ]" : "]", stdout);
}

static void print_entry_json(const struct consent_entry *entry)
{
    printf("\n      {\"class\": \"%s\", \"answer\": \"%s\", \"time\": \"%s\", \"who\": ",
           consent_class_name(entry->class), consent_answer_name(entry->answer), entry->when);
    tool_print_json(entry->who);
    fputs(", \"application\": ", stdout);
    tool_print_json(entry->application[0] != '\0' ? entry->application : NULL);
    putchar('}');
}

static void print_file_json(const char *name, const struct consent_file *file)
{
    printf(",\n  \"%s\": {\"file\": ", name);
    tool_print_json(file->path);
    fputs(", \"error\": ", stdout);
    tool_print_json(file->state != 0 ? file->error.text : NULL);
    fputs(", \"answers\": [", stdout);
    for (size_t i = 0; i < file->count; i++) {
        fputs(i > 0 ? "," : "", stdout);
        print_entry_json(&file->entries[i]);
    }
    fputs(file->count > 0 ? "\n  ]}" : "]}", stdout);
}

static void print_json(const struct view *view)
{
    fputs("{\n  \"application\": ", stdout);
    tool_print_json(application_of(view));
    print_class_json(view, CONSENT_DISK);
    print_class_json(view, CONSENT_NETWORK);
    print_instances_json(view, "transports", true);
    print_instances_json(view, "others", false);
    print_file_json("machine", &view->consent->machine);
    print_file_json("user", &view->consent->user);
    puts("\n}");
}

/* ---- The commands -------------------------------------------------------------------------- */

static int show_loaded(struct view *view)
{
    struct error error;
    int result = consent_load(&view->consent, &error);

    if (result != 0) {
        return tool_fail(view->tool, error_exit_code(result), "%s", error.text);
    }
    judge(view);
    if (view->options->json) {
        print_json(view);
    } else {
        print_text(view);
    }
    result = view->consent->machine.state != 0 ? view->consent->machine.state
                                               : view->consent->user.state;
    consent_destroy(view->consent);
    return fflush(stdout) != 0 ? EX_IOERR : error_exit_code(result);
}

static int show(const struct tool *tool, const struct tool_options *options)
{
    struct config_request request = { .path = options->config, .fd = -1 };
    struct view view = { .tool = tool, .options = options };
    int code;

    if (options->machine || options->send_now) {
        return tool_usage(tool, "--machine and --send-now belong to an answer.");
    }
    if (plugin_setup_load(&view.setup, &request) != 0) {
        plugin_setup_print_problems(&view.setup, STDERR_FILENO);
        code = EX_CONFIG;
    } else {
        code = show_loaded(&view);
    }
    plugin_setup_finish(&view.setup);
    return code;
}

/* With the sender's own exit code: 75 when something still waits. */
static int send_now(void)
{
    char *arguments[] = { "send", NULL };

    optind = 0; /* begin anew */
    return tool_send.run(&tool_send, 1, arguments);
}

static int record(const struct tool *tool, const struct tool_options *options,
                  enum consent_answer answer, char **classes, int count)
{
    struct error error;

    for (int i = 0; i < count; i++) {
        enum consent_class class = strcmp(classes[i], "disk") == 0 ? CONSENT_DISK : CONSENT_NETWORK;
        int result = consent_record(options->machine, class, answer, options->application, &error);

        if (result != 0) {
            return tool_fail(tool, error_exit_code(result), "%s", error.text);
        }
    }
    return options->send_now ? send_now() : EX_OK;
}

static int answer(const struct tool *tool, const struct tool_options *options, char **words,
                  int count)
{
    static const char *const verbs[] = { "forget", "give", "refuse" }; /* enum consent_answer */
    int verb = 0;

    while (verb < 3 && strcmp(words[0], verbs[verb]) != 0) {
        verb++;
    }
    if (verb == 3) {
        return tool_usage(tool, "An answer is give, refuse or forget, not \"%s\".", words[0]);
    }
    if (count < 2) {
        return tool_usage(tool, "What to %s must be named: disk, network, or both.", words[0]);
    }
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "disk") != 0 && strcmp(words[i], "network") != 0) {
            return tool_usage(tool, "It is disk or network, not \"%s\".", words[i]);
        }
    }
    return record(tool, options, verb, words + 1, count - 1);
}

static int run(const struct tool *tool, int argc, char **argv)
{
    struct tool_options options;
    int code = tool_parse(tool, "cajMS", argc, argv, &options);

    if (code != TOOL_GO_ON) {
        return code;
    }
    if (options.application != NULL &&
        (options.application[0] == '\0' || strlen(options.application) > MAX_APPLICATION_BYTES)) {
        return tool_usage(tool, "An application's name has 1 to %d bytes.", MAX_APPLICATION_BYTES);
    }
    return optind == argc ? show(tool, &options)
                          : answer(tool, &options, argv + optind, argc - optind);
}

const struct tool tool_consent = {
    .name = "consent",
    .synopsis = "[--json] [-c FILE] [--application NAME]\n"
                "       cairn consent give|refuse|forget disk|network... [--machine] "
                "[--application NAME]\n"
                "                     [--send-now]",
    .summary = "say whether reports may be kept, and sent",
    .help =
        "Without an answer, shows what may be done now, by whose answer, and through which\n"
        "transports. Answers count from the next crash and the next attempt to deliver on.\n\n"
        "  give disk              reports may be kept on this machine\n"
        "  give network           transports may use the network\n"
        "  refuse disk            reports are dropped as soon as they are made\n"
        "  refuse network         reports stay on this machine, also those that wait, for good\n"
        "  forget disk|network    as if nobody had answered: the configuration's `consent:` says\n"
        "                         what that means\n\n"
        "      --machine          answer for all users; needs the administrator's rights\n"
        "      --application NAME the answer is for this application only, or shows what counts\n"
        "                         for it; default there: the one that the configuration names\n"
        "      --send-now         then deliver what waits, as \"cairn send\" does\n"
        "      --json             show it as a JSON object\n"
        "  -c, --config FILE      the configuration; default: the installed one\n\n"
        "A refusal for the machine goes before the user's answer, the user's answer before a yes\n"
        "for the machine.\n\n"
        "Exit status: 0 shown or answered, 65 a file of answers cannot be used, 77 not permitted,\n"
        "78 the configuration has problems.\n",
    .run = run,
};
