/* SPDX-License-Identifier: Apache-2.0 */
/* A small host for testing bundled plugins; see plugin_harness.h. */
#include "tests/unit/plugin_harness.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t harness_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct harness *harness_of(const struct cairn_host *host)
{
    return host->private_data;
}

/* ---- tables of named values ---- */

static struct harness_named *find(const struct harness_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->items[i].name, name) == 0) {
            return &table->items[i];
        }
    }
    return NULL;
}

static struct harness_named *put(struct harness_table *table, const char *name, uint32_t type)
{
    struct harness_named *item = find(table, name);

    if (item == NULL) {
        if (table->count == HARNESS_MAX) {
            abort();
        }
        item = &table->items[table->count++];
    }
    memset(item, 0, sizeof(*item));
    snprintf(item->name, sizeof(item->name), "%s", name);
    item->value.type = type;
    return item;
}

static void put_string(struct harness_table *table, const char *name, const char *text)
{
    struct harness_named *item = put(table, name, CAIRN_VALUE_STRING);

    snprintf(item->text, sizeof(item->text), "%s", text);
    item->value.string = item->text;
}

void harness_field(struct harness *harness, const char *path, const char *value)
{
    put_string(&harness->fields, path, value);
}

void harness_field_integer(struct harness *harness, const char *path, int64_t value)
{
    put(&harness->fields, path, CAIRN_VALUE_INTEGER)->value.integer = value;
}

void harness_field_address(struct harness *harness, const char *path, uint64_t value)
{
    put(&harness->fields, path, CAIRN_VALUE_UINT64)->value.uint64 = value;
}

void harness_no_field(struct harness *harness, const char *path)
{
    put(&harness->fields, path, CAIRN_VALUE_NONE);
}

void harness_attribute(struct harness *harness, const char *name, const char *value)
{
    char path[160];

    put_string(&harness->attributes, name, value);
    snprintf(path, sizeof(path), "attributes.%s", name);
    put_string(&harness->fields, path, value);
}

const char *harness_set_text(const struct harness *harness, const char *name)
{
    const struct harness_named *item = find(&harness->set, name);

    return item != NULL ? item->text : NULL;
}

/* ---- the host's functions ---- */

static void append(char *target, size_t capacity, const char *head, const char *format,
                   va_list list)
{
    size_t used = strlen(target);

    used += (size_t)snprintf(target + used, capacity - used, "%s", head);
    if (used < capacity) {
        vsnprintf(target + used, capacity - used, format, list);
    }
    used = strlen(target);
    if (used + 1 < capacity) {
        target[used] = '\n';
        target[used + 1] = '\0';
    }
}

static void host_log(const struct cairn_host *host, int level, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    append(harness_of(host)->log, sizeof(harness_of(host)->log),
           level == CAIRN_LOG_ERROR     ? "error: "
           : level == CAIRN_LOG_WARNING ? "warning: "
                                        : "",
           format, list);
    va_end(list);
}

static int host_fail(const struct cairn_host *host, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(harness_of(host)->failure, sizeof(harness_of(host)->failure), format, list);
    va_end(list);
    return CAIRN_PLUGIN_FAILED;
}

static int host_problem(const struct cairn_host *host, const char *option, const char *format, ...)
{
    va_list list;
    char head[80];

    snprintf(head, sizeof(head), "%s: ", option);
    va_start(list, format);
    append(harness_of(host)->problems, sizeof(harness_of(host)->problems), head, format, list);
    va_end(list);
    return CAIRN_PLUGIN_FAILED;
}

static void host_note(const struct cairn_host *host, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    append(harness_of(host)->notes, sizeof(harness_of(host)->notes), "", format, list);
    va_end(list);
}

static uint64_t host_time_left(const struct cairn_host *host)
{
    uint64_t now = harness_now_us(), deadline = harness_of(host)->deadline_us;

    return now < deadline ? deadline - now : 0;
}

static const char *host_instance(const struct cairn_host *host)
{
    (void)host;
    return "instance";
}

static int host_get(const struct cairn_host *host, const struct cairn_report *report,
                    const char *path, struct cairn_value *ret_value)
{
    const struct harness_named *item = find(&harness_of(host)->fields, path);

    (void)report;
    if (item == NULL || item->value.type == CAIRN_VALUE_NONE) {
        return 0;
    }
    *ret_value = item->value;
    return 1;
}

static int host_attribute_at(const struct cairn_host *host, const struct cairn_report *report,
                             size_t index, const char **ret_name, struct cairn_value *ret_value)
{
    const struct harness_table *table = &harness_of(host)->attributes;

    (void)report;
    if (index >= table->count) {
        return 0;
    }
    *ret_name = table->items[index].name;
    *ret_value = table->items[index].value;
    return 1;
}

static int host_note_at(const struct cairn_host *host, const struct cairn_report *report,
                        size_t index, const char **ret_text)
{
    (void)report;
    if (index >= harness_of(host)->note_count) {
        return 0;
    }
    *ret_text = harness_of(host)->report_notes[index];
    return 1;
}

#define ITEM_AT(name_, type_, items_, count_)                                                      \
    static int name_(const struct cairn_host *host, const struct cairn_report *report,             \
                     size_t index, type_ *ret_item)                                                \
    {                                                                                              \
        (void)report;                                                                              \
        if (index >= harness_of(host)->count_ || ret_item->size != sizeof(type_)) {                \
            return 0;                                                                              \
        }                                                                                          \
        *ret_item = harness_of(host)->items_[index];                                               \
        ret_item->size = sizeof(type_);                                                            \
        return 1;                                                                                  \
    }

ITEM_AT(host_frame_at, struct cairn_frame, frames, frame_count)
ITEM_AT(host_register_at, struct cairn_register, registers, register_count)
ITEM_AT(host_thread_at, struct cairn_thread, threads, thread_count)
ITEM_AT(host_module_at, struct cairn_module, modules, module_count)
ITEM_AT(host_breadcrumb_at, struct cairn_breadcrumb, breadcrumbs, breadcrumb_count)
ITEM_AT(host_artifact_at, struct cairn_artifact, artifacts, artifact_count)

static int host_process_file(const struct cairn_host *host, const struct cairn_report *report,
                             const char *name, const char **ret_text, size_t *ret_bytes)
{
    const struct harness *harness = harness_of(host);

    (void)report;
    for (size_t i = 0; i < harness->file_count; i++) {
        if (strcmp(harness->files[i].name, name) == 0) {
            *ret_text = harness->files[i].data;
            *ret_bytes = harness->files[i].bytes;
            return 1;
        }
    }
    return 0;
}

static int host_minidump_fd(const struct cairn_host *host, const struct cairn_report *report)
{
    (void)report;
    return harness_of(host)->dump_fd;
}

static int host_set_string(const struct cairn_host *host, const char *name, const char *value)
{
    put_string(&harness_of(host)->set, name, value);
    return 0;
}

static int host_set_integer(const struct cairn_host *host, const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64, value);
    return host_set_string(host, name, text);
}

static int host_set_double(const struct cairn_host *host, const char *name, double value)
{
    char text[32];

    snprintf(text, sizeof(text), "%.15g", value);
    return host_set_string(host, name, text);
}

static int host_set_bool(const struct cairn_host *host, const char *name, int value)
{
    return host_set_string(host, name, value ? "true" : "false");
}

/* As core/plugin's, but the file is the test's own. */
static int state_open(const struct cairn_host *host)
{
    const char *path = harness_of(host)->state_path;
    int fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

    if (fd < 0) {
        host->note(host, "There is no folder to keep a state file in.");
    }
    return fd;
}

static int set_message(const struct cairn_host *host, const char *text)
{
    return host_set_string(host, "crash.message", text);
}

static int set_breadcrumb(const struct cairn_host *host, size_t index, const char *message)
{
    char name[32];

    snprintf(name, sizeof(name), "breadcrumb.%zu", index);
    return host_set_string(host, name, message);
}

static const void *host_service(const struct cairn_host *host, const char *name)
{
    static const struct cairn_state_service state = { .size = sizeof(state), .open = state_open };
    static const struct cairn_texts_service texts = { .size = sizeof(texts),
                                                      .set_message = set_message,
                                                      .set_breadcrumb = set_breadcrumb };

    (void)host;
    return strcmp(name, CAIRN_SERVICE_STATE) == 0   ? (const void *)&state
           : strcmp(name, CAIRN_SERVICE_TEXTS) == 0 ? (const void *)&texts
                                                    : NULL;
}

static const struct cairn_host host_functions = {
    .size = sizeof(struct cairn_host),
    .abi_major = CAIRN_ABI_MAJOR,
    .abi_minor = CAIRN_ABI_MINOR,
    .log = host_log,
    .fail = host_fail,
    .problem = host_problem,
    .note = host_note,
    .time_left = host_time_left,
    .instance = host_instance,
    .get = host_get,
    .attribute_at = host_attribute_at,
    .note_at = host_note_at,
    .frame_at = host_frame_at,
    .register_at = host_register_at,
    .thread_at = host_thread_at,
    .module_at = host_module_at,
    .breadcrumb_at = host_breadcrumb_at,
    .artifact_at = host_artifact_at,
    .process_file = host_process_file,
    .minidump_fd = host_minidump_fd,
    .set_string = host_set_string,
    .set_integer = host_set_integer,
    .set_double = host_set_double,
    .set_bool = host_set_bool,
    .service = host_service,
};

/* ---- lifecycle ---- */

static void can_report(struct harness *harness)
{
    harness_field(harness, "id", "0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");
    harness_field(harness, "kind", "crash");
    harness_field(harness, "time", "2026-11-25T19:42:47.123456Z");
    harness_field(harness, "signature", "00112233445566778899aabbccddeeff");
    harness_field_integer(harness, "tier", 1);
    harness_field(harness, "application.name", "shop");
    harness_field(harness, "application.version", "2.1");
    harness_field(harness, "crash.signal", "SIGSEGV");
    harness_field(harness, "crash.code", "SEGV_MAPERR");
    harness_field_address(harness, "crash.address", 0x10);
    harness_field_integer(harness, "crash.pid", 4241);
    harness_field_integer(harness, "crash.tid", 4242);
    harness_field(harness, "crash.thread", "worker");
    harness_field(harness, "crash.reason", "read or write at an address that is not mapped");
    harness_field(harness, "process.executable", "/opt/shop/bin/shop");
    harness_field(harness, "process.user", "www");
}

bool harness_open(struct harness *harness, const char *kind, const char *name)
{
    const char *build = getenv("CAIRN_BUILDDIR");
    char path[4096];

    memset(harness, 0, sizeof(*harness));
    snprintf(path, sizeof(path), "%s/plugins/%s/.libs/%s.so", build != NULL ? build : ".", kind,
             name);
    harness->library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    harness->plugin =
        harness->library != NULL ? dlsym(harness->library, "cairn_plugin_entry") : NULL;
    if (harness->plugin == NULL) {
        printf("# %s\n", dlerror());
        return false;
    }
    harness->host = host_functions;
    harness->host.private_data = harness;
    harness->deadline_us = harness_now_us() + 20000000;
    harness->dump_fd = -1;
    harness->fields.items = calloc(HARNESS_MAX, sizeof(struct harness_named));
    harness->attributes.items = calloc(HARNESS_MAX, sizeof(struct harness_named));
    harness->set.items = calloc(HARNESS_MAX, sizeof(struct harness_named));
    harness->config = calloc(1, harness->plugin->config_size);
    for (const struct cairn_option *option = harness->plugin->options; option->name != NULL;
         option++) {
        if (option->default_text != NULL) {
            harness_option(harness, option->name, option->default_text);
        }
    }
    can_report(harness);
    return true;
}

void harness_close(struct harness *harness)
{
    if (harness->plugin != NULL) {
        harness_free_options(harness);
    }
    free(harness->fields.items);
    free(harness->attributes.items);
    free(harness->set.items);
    if (harness->library != NULL) {
        dlclose(harness->library);
    }
}

/* All operations structures begin alike, with what the filter's begins with. */
static const struct cairn_filter_ops *head(const struct harness *harness)
{
    return harness->plugin->ops;
}

int harness_check(struct harness *harness)
{
    harness->problems[0] = '\0';
    return head(harness)->check != NULL ? head(harness)->check(&harness->host, harness->config)
                                        : CAIRN_PLUGIN_OK;
}

static int begin(struct harness *harness, void **ret_context)
{
    int status = harness_check(harness);

    *ret_context = NULL;
    if (status == CAIRN_PLUGIN_OK && head(harness)->create != NULL) {
        status = head(harness)->create(&harness->host, harness->config, ret_context);
    }
    return status;
}

static int end(struct harness *harness, void *context, int status)
{
    if (head(harness)->destroy != NULL) {
        head(harness)->destroy(context);
    }
    return status;
}

int harness_decide(struct harness *harness, struct cairn_filter_args *ret_args)
{
    const struct cairn_filter_ops *ops = harness->plugin->ops;
    void *context;
    int status = begin(harness, &context);

    *ret_args = (struct cairn_filter_args){ .size = sizeof(*ret_args), .host = &harness->host };
    return status == CAIRN_PLUGIN_OK ? end(harness, context, ops->decide(context, ret_args))
                                     : status;
}

int harness_annotate(struct harness *harness)
{
    const struct cairn_annotator_ops *ops = harness->plugin->ops;
    struct cairn_annotator_args args = { .size = sizeof(args), .host = &harness->host };
    void *context;
    int status = begin(harness, &context);

    return status == CAIRN_PLUGIN_OK ? end(harness, context, ops->annotate(context, &args))
                                     : status;
}

int harness_write(struct harness *harness, int fd)
{
    const struct cairn_writer_ops *ops = harness->plugin->ops;
    struct cairn_writer_args args = { .size = sizeof(args), .fd = fd, .host = &harness->host };
    void *context;
    int status = begin(harness, &context);

    return status == CAIRN_PLUGIN_OK ? end(harness, context, ops->write(context, &args)) : status;
}

int harness_run(struct harness *harness, const char *folder)
{
    const struct cairn_hook_ops *ops = harness->plugin->ops;
    struct cairn_hook_args args = { .size = sizeof(args),
                                    .host = &harness->host,
                                    .folder = folder };
    void *context;
    int status = begin(harness, &context);

    return status == CAIRN_PLUGIN_OK ? end(harness, context, ops->run(context, &args)) : status;
}

int harness_send(struct harness *harness, const char *folder, struct cairn_transport_args *ret_args)
{
    const struct cairn_transport_ops *ops = harness->plugin->ops;
    void *context;
    int status = begin(harness, &context);

    *ret_args = (struct cairn_transport_args){ .size = sizeof(*ret_args),
                                               .attempt = 1,
                                               .host = &harness->host,
                                               .folder = folder,
                                               .outcome = CAIRN_RETRY };
    return status == CAIRN_PLUGIN_OK ? end(harness, context, ops->send(context, ret_args)) : status;
}
