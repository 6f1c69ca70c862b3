/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer/json: the report in the JSON that Backtrace's servers take as format=json: threads, frames
 * and registers of the crashed thread, modules, attributes, annotations, classifiers. Values of 64
 * bits are decimal text. Runs in a step of the engine.
 */
#include "plugins/writer/json/document.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VERSION "1.0.0"

enum symbolication { SYMBOLICATION_NONE, SYMBOLICATION_MINIDUMP };

struct config {
    const char *language, *language_version;
    int64_t threads;
    int32_t modules, symbolication;
};

static const char *const symbolications[] = { "none", "minidump", NULL };

static const struct cairn_option options[] = {
    { .name = "language",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, language),
      .default_text = "c",
      .help = "The language that the program is written in, as the server shall show it." },
    { .name = "language_version",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, language_version),
      .default_text = "11",
      .help = "That language's version, or its compiler's." },
    { .name = "threads",
      .type = CAIRN_OPTION_INTEGER,
      .offset = offsetof(struct config, threads),
      .default_text = "1024",
      .min = 1,
      .max = DOCUMENT_MAX_ITEMS,
      .help = "How many threads are written, the crashed one first." },
    { .name = "modules",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct config, modules),
      .default_text = "true",
      .help = "Write the list of modules with their addresses and debug identifiers." },
    { .name = "symbolication",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config, symbolication),
      .default_text = "none",
      .choices = symbolications,
      .help = "none: the functions found here are written; minidump: the server is asked to find "
              "them with the symbols that it has." },
    { .name = NULL },
};

static int check(const struct cairn_host *host, const void *options_)
{
    const struct config *config = options_;

    return config->symbolication == SYMBOLICATION_MINIDUMP && !config->modules
               ? host->problem(host, "modules", "the server cannot find functions without modules")
               : CAIRN_PLUGIN_OK;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static const char *get_text(const struct document *document, const char *path)
{
    struct cairn_value value;

    return document->host->get(document->host, document->report, path, &value) &&
                   value.type == CAIRN_VALUE_STRING
               ? value.string
               : NULL;
}

static int64_t get_seconds(const struct document *document)
{
    const char *text = get_text(document, "time");
    struct tm broken_down = { 0 };

    return text != NULL && strptime(text, "%Y-%m-%dT%H:%M:%S", &broken_down) != NULL
               ? (int64_t)timegm(&broken_down)
               : 0;
}

static void emit_identity(struct document *document, const struct config *config)
{
    struct emit *emit = &document->emit;

    emit_string(emit, "uuid", get_text(document, "id"));
    emit_integer(emit, "timestamp", get_seconds(document));
    emit_string(emit, "lang", config->language);
    emit_string(emit, "langVersion", config->language_version);
    emit_string(emit, "agent", "cairn");
    emit_string(emit, "agentVersion", VERSION);
    if (config->symbolication == SYMBOLICATION_MINIDUMP) {
        emit_string(emit, "symbolication", "minidump");
    }
}

/* The registers' types; so far there is one CPU. */
static void emit_arch(struct document *document)
{
    const struct cairn_host *host = document->host;
    struct cairn_register item = { .size = sizeof(item) };
    struct emit *emit = &document->emit;

    emit_object(emit, "arch");
    emit_string(emit, "name", "x86_64");
    emit_object(emit, "registers");
    for (size_t i = 0;
         i < DOCUMENT_MAX_ITEMS && host->register_at(host, document->report, i, &item); i++) {
        emit_string(emit, item.name, "u64");
        item = (struct cairn_register){ .size = sizeof(item) };
    }
    emit_end(emit, '}');
    emit_end(emit, '}');
}

static void emit_classifiers(struct document *document)
{
    emit_array(&document->emit, "classifiers");
    emit_string(&document->emit, NULL, get_text(document, "crash.signal"));
    emit_string(&document->emit, NULL, get_text(document, "crash.code"));
    emit_end(&document->emit, ']');
}

static void emit_value(struct emit *emit, const char *key, const struct cairn_value *value)
{
    switch (value->type) {
    case CAIRN_VALUE_STRING:
        emit_string(emit, key, value->string);
        break;
    case CAIRN_VALUE_INTEGER:
        emit_integer(emit, key, value->integer);
        break;
    case CAIRN_VALUE_DOUBLE:
        emit_double(emit, key, value->number);
        break;
    case CAIRN_VALUE_BOOL:
        emit_bool(emit, key, value->boolean);
        break;
    case CAIRN_VALUE_UINT64:
        emit_uint64(emit, key, value->uint64);
        break;
    default:
        break;
    }
}

/* Fields of the report under the names that Backtrace knows. */
static const struct {
    const char *name, *path;
} fields[] = {
    { "application", "application.name" },
    { "application.version", "application.version" },
    { "version", "application.version" },
    { "process.id", "crash.pid" },
    { "process.path", "process.executable" },
    { "fault.address", "crash.address" },
    { "signature", "signature" },
    { "cairn.tier", "tier" },
};

static int is_taken(const char *name)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return 1;
        }
    }
    return strcmp(name, "error.type") == 0 || strcmp(name, "error.message") == 0;
}

static void emit_fields(struct document *document)
{
    const char *kind = get_text(document, "kind");
    const char *message = get_text(document, "crash.message");
    struct cairn_value value;

    emit_string(&document->emit, "error.type",
                kind != NULL && strcmp(kind, "request") == 0 ? "Message" : "Crash");
    emit_string(&document->emit, "error.message",
                message != NULL ? message : get_text(document, "crash.reason"));
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (document->host->get(document->host, document->report, fields[i].path, &value)) {
            emit_value(&document->emit, fields[i].name, &value);
        }
    }
}

/* A key must not come twice: a field of the report beats an attribute of the same name. */
static void emit_attributes(struct document *document)
{
    const struct cairn_host *host = document->host;
    struct cairn_value value;
    const char *name;

    emit_object(&document->emit, "attributes");
    emit_fields(document);
    for (size_t i = 0;
         i < DOCUMENT_MAX_ITEMS && host->attribute_at(host, document->report, i, &name, &value);
         i++) {
        if (!is_taken(name)) {
            emit_value(&document->emit, name, &value);
        }
    }
    emit_end(&document->emit, '}');
}

/* Nested facts that are shown, but not searched for. */
static void emit_annotations(struct document *document)
{
    const struct cairn_host *host = document->host;
    struct cairn_breadcrumb crumb = { .size = sizeof(crumb) };
    struct emit *emit = &document->emit;
    const char *note;

    emit_object(emit, "annotations");
    emit_array(emit, "Breadcrumbs");
    for (size_t i = 0;
         i < DOCUMENT_MAX_ITEMS && host->breadcrumb_at(host, document->report, i, &crumb); i++) {
        emit_object(emit, NULL);
        emit_integer(emit, "timestamp", (int64_t)(crumb.time / 1000000)); /* milliseconds */
        emit_string(emit, "category", crumb.category);
        emit_string(emit, "message", crumb.message);
        emit_end(emit, '}');
        crumb = (struct cairn_breadcrumb){ .size = sizeof(crumb) };
    }
    emit_end(emit, ']');
    emit_array(emit, "Notes");
    for (size_t i = 0; i < DOCUMENT_MAX_ITEMS && host->note_at(host, document->report, i, &note);
         i++) {
        emit_string(emit, NULL, note);
    }
    emit_end(emit, ']');
    emit_end(emit, '}');
}

static void emit_document(struct document *document, const struct config *config)
{
    emit_object(&document->emit, NULL);
    emit_identity(document, config);
    document_threads(document, (size_t)config->threads);
    emit_arch(document);
    emit_classifiers(document);
    emit_attributes(document);
    emit_annotations(document);
    if (config->modules) {
        document_modules(document);
    }
    emit_end(&document->emit, '}');
    fputc('\n', document->emit.stream);
}

static int write_json(void *context, struct cairn_writer_args *args)
{
    const struct config *config = context;
    int fd = fcntl(args->fd, F_DUPFD_CLOEXEC, 0), failed;
    struct document document = { .emit = { .stream = fd >= 0 ? fdopen(fd, "w") : NULL, .first = 1 },
                                 .host = args->host,
                                 .report = args->report,
                                 .symbolicate = config->symbolication == SYMBOLICATION_MINIDUMP };

    if (document.emit.stream == NULL) {
        int number = errno;

        if (fd >= 0) {
            close(fd);
        }
        return args->host->fail(args->host, "The document cannot be opened for writing: %s.",
                                strerror(number));
    }
    emit_document(&document, config);
    failed = ferror(document.emit.stream);
    if (fclose(document.emit.stream) != 0 || failed) {
        return args->host->fail(args->host, "The document could not be written: %s.",
                                strerror(errno));
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_writer_ops ops = {
    .size = sizeof(ops),
    .check = check,
    .create = create,
    .write = write_json,
    .extension = "json",
    .media_type = "application/json",
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_WRITER),
    .name = "json",
    .version = VERSION,
    .summary = "Writes the report as JSON in the format of Backtrace's servers.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_WRITER, "json");
