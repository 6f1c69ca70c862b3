/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin of version 1.0 of the ABI that uses all of it: every option type's place, every function
 * of the host. Compiled for each kind (KIND) against each frozen header and loaded by today's host;
 * see abi.sh. It never uses what came after 1.0. In a step's process.
 */
#include <cairn/plugin.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef MINOR
#define MINOR CAIRN_ABI_MINOR
#endif
#ifndef MAJOR
#define MAJOR CAIRN_ABI_MAJOR
#endif

struct config {
    const char *text;
    int64_t integer;
    uint64_t duration;
    int32_t choice, flag;
    struct cairn_list list;
    struct cairn_map map;
};

static const char *const choices[] = { "red", "green", NULL };

static const struct cairn_option options[] = {
    { "text", CAIRN_OPTION_STRING, 0, offsetof(struct config, text), 0, "some", 0, 0, NULL, NULL,
      "A text." },
    { "integer", CAIRN_OPTION_INTEGER, 0, offsetof(struct config, integer), 0, "7", 1, 9, NULL,
      NULL, "A number." },
    { "duration", CAIRN_OPTION_DURATION, 0, offsetof(struct config, duration), 0, "2s", 0, 0, NULL,
      NULL, "A time." },
    { "choice", CAIRN_OPTION_ENUM, 0, offsetof(struct config, choice), 0, "green", 0, 0, choices,
      NULL, "A colour." },
    { "flag", CAIRN_OPTION_BOOL, 0, offsetof(struct config, flag), 0, "true", 0, 0, NULL, NULL,
      "A flag." },
    { "list", CAIRN_OPTION_STRING, CAIRN_OPTION_LIST, offsetof(struct config, list), 0, NULL, 0, 0,
      NULL, NULL, "A list." },
    { "map", CAIRN_OPTION_INTEGER, CAIRN_OPTION_MAP, offsetof(struct config, map), 0, NULL, 0, 0,
      NULL, NULL, "A map." },
    { NULL, 0, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL },
};

static bool is_list_right(const struct cairn_list *list)
{
    const char *const *items = list->items;

    return list->count == 2 && strcmp(items[1], "b") == 0;
}

static bool is_map_right(const struct cairn_map *map)
{
    const int64_t *values = map->values;

    return map->count == 1 && values[0] == 5 && strcmp(map->keys[0], "five") == 0;
}

/* What of the options is not as the test's configuration and the defaults have it, or NULL. */
static const char *judge_options(const struct config *config)
{
    return strcmp(config->text, "some") != 0 ? "text"
           : config->integer != 7            ? "integer"
           : config->duration != 2000000     ? "duration"
           : config->choice != 1             ? "choice"
           : config->flag != 1               ? "flag"
           : !is_list_right(&config->list)   ? "list"
           : !is_map_right(&config->map)     ? "map"
                                             : NULL;
}

static int check(const struct cairn_host *host, const void *options_given)
{
    const char *wrong = judge_options(options_given);

    return wrong == NULL ? CAIRN_PLUGIN_OK : host->problem(host, wrong, "this is not its value");
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config;
    return CAIRN_PLUGIN_OK;
}

static void destroy(void *context)
{
    (void)context;
}

static bool is_host_right(const struct cairn_host *host)
{
    return host->size >= sizeof(*host) && host->abi_major == CAIRN_ABI_MAJOR &&
           strcmp(host->instance(host), "mine") == 0 && host->time_left(host) != 0;
}

static bool is_signal_right(const struct cairn_host *host, const struct cairn_report *report)
{
    struct cairn_value value;

    return host->get(host, report, "crash.signal", &value) && value.type == CAIRN_VALUE_STRING &&
           strcmp(value.string, "SIGSEGV") == 0;
}

static bool has_end(const struct cairn_host *host, const struct cairn_report *report)
{
    struct cairn_value value;
    const char *text;

    return !host->attribute_at(host, report, 100000, &text, &value) &&
           !host->note_at(host, report, 100000, &text);
}

/* What the host does not answer as it should; NULL: nothing. */
static const char *judge_host(const struct cairn_host *host, const struct cairn_report *report)
{
    struct cairn_frame frame = { .size = sizeof(frame) };
    struct cairn_register reg = { .size = sizeof(reg) };

    if (!is_host_right(host)) {
        return "host";
    }
    if (!is_signal_right(host, report)) {
        return "get";
    }
    if (!host->frame_at(host, report, 0, &frame) || frame.address == 0 || frame.trust == NULL) {
        return "frame_at";
    }
    if (!host->register_at(host, report, 0, &reg) || reg.name == NULL) {
        return "register_at";
    }
    if (!has_end(host, report)) {
        return "attribute_at";
    }
    return host->service(host, "cairn.none/1") != NULL ? "service" : NULL;
}

__attribute__((unused)) static const char *judge_files(const struct cairn_host *host,
                                                       const struct cairn_report *report)
{
    const void *data;
    const char *text;
    size_t bytes;

    return !host->stream(host, report, 7, &data, &bytes) || bytes == 0 ? "stream"
           : !host->process_file(host, report, "status", &text, &bytes) || text[bytes] != '\0'
               ? "process_file"
           : host->minidump_fd(host, report) < 0 ? "minidump_fd"
                                                 : NULL;
}

/* What only steps see that have the captured minidump: all but transports. */
__attribute__((unused)) static const char *judge_dump(const struct cairn_host *host,
                                                      const struct cairn_report *report)
{
    struct cairn_thread thread = { .size = sizeof(thread) };
    struct cairn_module module = { .size = sizeof(module) };
    struct cairn_breadcrumb crumb = { .size = sizeof(crumb) };
    char memory[8];

    if (!host->thread_at(host, report, 0, &thread) || thread.id == 0) {
        return "thread_at";
    }
    if (!host->module_at(host, report, 0, &module) || module.path == NULL) {
        return "module_at";
    }
    if (host->read_memory(host, report, thread.stack_start, memory, sizeof(memory)) !=
        sizeof(memory)) {
        return "read_memory";
    }
    host->breadcrumb_at(host, report, 0, &crumb);
    return judge_files(host, report);
}

__attribute__((unused)) static const char *judge_services(const struct cairn_host *host)
{
    const struct cairn_state_service *state = host->service(host, CAIRN_SERVICE_STATE);
    const struct cairn_texts_service *texts = host->service(host, CAIRN_SERVICE_TEXTS);

    return state == NULL || state->size < sizeof(*state) || state->open(host) < 0 ? "cairn.state/1"
           : texts == NULL || texts->size < sizeof(*texts) ||
                   texts->set_message(host, "replaced") != CAIRN_PLUGIN_OK
               ? "cairn.texts/1"
               : NULL;
}

__attribute__((unused)) static int set_attributes(const struct cairn_host *host)
{
    host->log(host, CAIRN_LOG_INFO, "A line.");
    host->note(host, "A note of %s.", host->instance(host));
    return host->set_string(host, "abi.string", "text") ||
           host->set_integer(host, "abi.integer", -3) ||
           host->set_double(host, "abi.double", 0.5) || host->set_bool(host, "abi.bool", 1);
}

static int judge(const struct cairn_host *host, const struct cairn_report *report)
{
    const char *wrong = judge_host(host, report);

#if KIND != 5
    wrong = wrong != NULL ? wrong : judge_dump(host, report);
#endif
#if KIND == 2
    wrong = wrong != NULL ? wrong : judge_services(host);
#endif
    return wrong == NULL ? CAIRN_PLUGIN_OK : host->fail(host, "%s is not what it was.", wrong);
}

#if KIND == 1
static int call(void *context, struct cairn_filter_args *args)
{
    (void)context;
    args->action = CAIRN_KEEP;
    args->host->note(args->host, "The filter was here.");
    return judge(args->host, args->report);
}
static const struct cairn_filter_ops ops = { sizeof(ops), CAIRN_STAGE_STACK, check,
                                             create,      destroy,           call };
#elif KIND == 2
static int call(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    return set_attributes(args->host) != 0 ? CAIRN_PLUGIN_FAILED : judge(args->host, args->report);
}
static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops), .check = check, .create = create, .destroy = destroy, .annotate = call
};
#elif KIND == 3
static int call(void *context, struct cairn_writer_args *args)
{
    (void)context;
    return write(args->fd, "abi\n", 4) == 4 ? judge(args->host, args->report) : CAIRN_PLUGIN_FAILED;
}
static const struct cairn_writer_ops ops = { sizeof(ops), 0,    check, create,
                                             destroy,     call, "abi", "text/plain" };
#elif KIND == 4
static int call(void *context, struct cairn_hook_args *args)
{
    (void)context;
    return access(args->folder, R_OK) == 0 &&
                   args->host->set_string(args->host, "abi.hook", "ran") == CAIRN_PLUGIN_OK
               ? judge(args->host, args->report)
               : CAIRN_PLUGIN_FAILED;
}
static const struct cairn_hook_ops ops = { sizeof(ops), 0, check, create, destroy, call };
#else
static int call(void *context, struct cairn_transport_args *args)
{
    struct cairn_artifact artifact = { .size = sizeof(artifact) };

    (void)context;
    if (args->attempt < 1 || access(args->folder, R_OK) != 0 ||
        !args->host->artifact_at(args->host, args->report, 0, &artifact) ||
        access(artifact.path, R_OK) != 0) {
        return args->host->fail(args->host, "artifact_at is not what it was.");
    }
    args->outcome = CAIRN_DELIVERED;
    args->response_code = 200;
    snprintf(args->server_id, sizeof(args->server_id), "abi-id");
    return judge(args->host, args->report);
}
static const struct cairn_transport_ops ops = { sizeof(ops), 0, check, create, destroy, call };
#endif

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_MAGIC,
    (uint32_t)sizeof(struct cairn_plugin),
    MAJOR,
    MINOR,
    KIND,
    0,
    "abi",
    "1.0",
    "Uses all of the ABI.",
    options,
    (uint32_t)sizeof(struct cairn_option),
    (uint32_t)sizeof(struct config),
    &ops,
};
