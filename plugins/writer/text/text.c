/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer/text: the report as a page that a person reads first: what happened, where, in which
 * state, and how to look closer. Sections without content are left out. Runs in a step of the
 * engine.
 */
#include "plugins/writer/text/page.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define MAX_ITEMS          65536 /* of one kind: a bound on every loop */
#define MAX_FRAMES_SHOWN   128
#define REGISTERS_PER_LINE 3

struct config {
    int64_t threads;
    int32_t modules;
};

static const struct cairn_option options[] = {
    { .name = "threads",
      .type = CAIRN_OPTION_INTEGER,
      .offset = offsetof(struct config, threads),
      .default_text = "32",
      .min = 1,
      .max = 4096,
      .help = "How many threads are listed; the rest is counted." },
    { .name = "modules",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct config, modules),
      .default_text = "false",
      .help = "List all modules with their addresses and build ids, not only their number." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static void section(const struct page *page, const char *title)
{
    fprintf(page->stream, "\n%s\n", title);
}

static bool is_kind(const struct page *page, const char *name)
{
    const char *kind = page_get(page, "kind");

    return kind != NULL && strcmp(kind, name) == 0;
}

static void write_verb(const struct page *page)
{
    const char *signal = page_get(page, "crash.signal"), *code = page_get(page, "crash.code");
    struct cairn_value address;

    if (is_kind(page, "request")) {
        fputs(": a report that was asked for", page->stream);
        return;
    }
    fputs(is_kind(page, "death") ? " died" : " crashed", page->stream);
    if (signal != NULL) {
        fprintf(page->stream, " with %s", signal);
    }
    if (code != NULL) {
        fprintf(page->stream, " (%s)", code);
    }
    if (page->host->get(page->host, page->report, "crash.address", &address)) {
        fputs(" at ", page->stream);
        page_value(page, &address);
    }
}

/* "shop 2.1 crashed with SIGSEGV (SEGV_MAPERR) at 0x0000000000000010", then the reason in words. */
static void write_headline(const struct page *page)
{
    const char *name = page_get(page, "application.name");
    const char *version = page_get(page, "application.version");
    const char *reason = page_get(page, "crash.reason");

    page_text(page, name != NULL ? name : "A program");
    if (version != NULL) {
        fputc(' ', page->stream);
        page_text(page, version);
    }
    write_verb(page);
    fputc('\n', page->stream);
    if (reason != NULL) {
        page_text(page, reason);
        fputc('\n', page->stream);
    }
}

static void write_facts(const struct page *page)
{
    fputc('\n', page->stream);
    page_line(page, "Message", "crash.message");
    page_line(page, "Time", "time");
    page_line(page, "Application", "application.name");
    page_line(page, "Version", "application.version");
    page_line(page, "Executable", "process.executable");
    page_line(page, "User", "process.user");
    page_line(page, "Process", "crash.pid");
    page_line(page, "Thread", "crash.tid");
    page_line(page, "Thread name", "crash.thread");
    page_line(page, "Signal", "crash.signal");
    page_line(page, "Code", "crash.code");
    page_line(page, "Address", "crash.address");
    page_line(page, "Signature", "signature");
    if (!is_kind(page, "death")) { /* then there was nothing left to capture */
        page_line(page, "Capture tier", "tier");
    }
    page_line(page, "Report", "id");
}

static int frame_at(const struct page *page, size_t index, struct cairn_frame *ret_frame)
{
    *ret_frame = (struct cairn_frame){ .size = sizeof(*ret_frame) };
    return page->host->frame_at(page->host, page->report, index, ret_frame);
}

/* The width of the widest module name, so that symbols stand below one another. */
static int module_width(const struct page *page)
{
    struct cairn_frame frame;
    size_t width = 1;

    for (size_t i = 0; i < MAX_FRAMES_SHOWN && frame_at(page, i, &frame); i++) {
        size_t length = frame.module != NULL ? strlen(frame.module) : 0;

        width = length > width ? length : width;
    }
    return width < 40 ? (int)width : 40;
}

static void write_frame(const struct page *page, const struct cairn_frame *frame, int width)
{
    const char *module = frame->module != NULL ? frame->module : "?";
    int padding = width - (int)strlen(module);

    fprintf(page->stream, "  #%-3u 0x%016" PRIx64 "  ", frame->index, frame->address);
    page_text(page, module);
    fprintf(page->stream, "%*s  ", padding > 0 ? padding : 0, "");
    if (frame->symbol != NULL) {
        page_text(page, frame->symbol);
        fprintf(page->stream, "+0x%" PRIx64, frame->symbol_offset);
    } else if (frame->module != NULL) {
        fprintf(page->stream, "+0x%" PRIx64, frame->module_offset);
    } else {
        fputs("in no module", page->stream);
    }
    if (frame->trust != NULL) {
        fprintf(page->stream, "  [%s]", frame->trust);
    }
    fputc('\n', page->stream);
}

static void write_frames(const struct page *page)
{
    struct cairn_frame frame;
    int width = module_width(page);
    size_t count = 0;

    for (; count < MAX_ITEMS && frame_at(page, count, &frame); count++) {
        if (count == 0) {
            section(page, "Stack of the thread (the bracket tells how a frame was found)");
        }
        if (count < MAX_FRAMES_SHOWN) {
            frame.index = (uint32_t)count;
            write_frame(page, &frame, width);
        }
    }
    if (count > MAX_FRAMES_SHOWN) {
        fprintf(page->stream, "  ... and %zu more\n", count - MAX_FRAMES_SHOWN);
    }
}

static void write_registers(const struct page *page)
{
    struct cairn_register value = { .size = sizeof(value) };
    size_t i = 0;

    while (i < MAX_ITEMS && page->host->register_at(page->host, page->report, i, &value)) {
        if (i == 0) {
            section(page, "Registers");
        }
        fprintf(page->stream, "%s%6s 0x%016" PRIx64, i % REGISTERS_PER_LINE == 0 ? "" : "  ",
                value.name != NULL ? value.name : "?", value.value);
        i++;
        if (i % REGISTERS_PER_LINE == 0) {
            fputc('\n', page->stream);
        }
        value = (struct cairn_register){ .size = sizeof(value) };
    }
    if (i % REGISTERS_PER_LINE != 0) {
        fputc('\n', page->stream);
    }
}

static void write_attributes(const struct page *page)
{
    struct cairn_value value;
    const char *name;
    int width = 0;

    for (size_t i = 0;
         i < MAX_ITEMS && page->host->attribute_at(page->host, page->report, i, &name, &value);
         i++) {
        int length = (int)strlen(name);

        width = length > width ? length : width;
    }
    width = width < 32 ? width : 32;
    for (size_t i = 0;
         i < MAX_ITEMS && page->host->attribute_at(page->host, page->report, i, &name, &value);
         i++) {
        if (i == 0) {
            section(page, "Attributes");
        }
        fprintf(page->stream, "  %-*s  ", width, name);
        page_value(page, &value);
        fputc('\n', page->stream);
    }
}

static void write_breadcrumbs(const struct page *page)
{
    struct cairn_breadcrumb crumb = { .size = sizeof(crumb) }, last = crumb;
    size_t count = 0;

    while (count < MAX_ITEMS && page->host->breadcrumb_at(page->host, page->report, count, &last)) {
        count++;
    }
    if (count > 0) {
        section(page, "Breadcrumbs (seconds before the last one)");
    }
    for (size_t i = 0; i < count; i++) {
        if (page->host->breadcrumb_at(page->host, page->report, i, &crumb)) {
            double before = (double)(int64_t)(crumb.time - last.time) / 1e9;

            fprintf(page->stream, "  %+10.3f  ", before);
            page_text(page, crumb.category);
            fputs(": ", page->stream);
            page_text(page, crumb.message);
            fputc('\n', page->stream);
        }
    }
}

/* The base name of the module that holds `address`, or NULL. */
static const char *module_of(const struct page *page, uint64_t address)
{
    struct cairn_module module = { .size = sizeof(module) };

    for (size_t i = 0; i < MAX_ITEMS && page->host->module_at(page->host, page->report, i, &module);
         i++) {
        if (address - module.base < module.length && module.path != NULL) {
            const char *slash = strrchr(module.path, '/');

            return slash != NULL ? slash + 1 : module.path;
        }
    }
    return NULL;
}

static void write_thread(const struct page *page, const struct cairn_thread *thread)
{
    const char *module = module_of(page, thread->instruction_pointer);

    fprintf(page->stream, "%c %-7u 0x%016" PRIx64, thread->crashed ? '*' : ' ', thread->id,
            thread->instruction_pointer);
    if (thread->name != NULL && thread->name[0] != '\0') {
        fputs("  ", page->stream);
        page_text(page, thread->name);
    }
    if (module != NULL) {
        fputs("  in ", page->stream);
        page_text(page, module);
    }
    fputc('\n', page->stream);
}

static void write_threads(const struct page *page, size_t shown)
{
    struct cairn_thread thread = { .size = sizeof(thread) };
    size_t count = 0;

    for (; count < MAX_ITEMS && page->host->thread_at(page->host, page->report, count, &thread);
         count++) {
        if (count == 0) {
            section(page, "Threads (* is the one that the report is about)");
        }
        if (count < shown || thread.crashed) {
            write_thread(page, &thread);
        }
        thread = (struct cairn_thread){ .size = sizeof(thread) };
    }
    if (count > shown) {
        fprintf(page->stream, "  %zu threads in all\n", count);
    }
}

static void write_modules(const struct page *page, int listed)
{
    struct cairn_module module = { .size = sizeof(module) };
    size_t count = 0;

    for (; count < MAX_ITEMS && page->host->module_at(page->host, page->report, count, &module);
         count++) {
        if (listed && count == 0) {
            section(page, "Modules");
        }
        if (listed) {
            fprintf(page->stream, "  0x%016" PRIx64 "-0x%016" PRIx64 "  ", module.base,
                    module.base + module.length);
            page_text(page, module.path);
            fprintf(page->stream, "  %s\n", module.build_id != NULL ? module.build_id : "");
        }
        module = (struct cairn_module){ .size = sizeof(module) };
    }
    if (!listed && count > 0) {
        fprintf(page->stream, "\nModules      %zu; the minidump names them\n", count);
    }
}

static void write_notes(const struct page *page)
{
    const char *text;

    for (size_t i = 0; i < MAX_ITEMS && page->host->note_at(page->host, page->report, i, &text);
         i++) {
        if (i == 0) {
            section(page, "Notes: what is missing, and why");
        }
        fputs("  - ", page->stream);
        page_text(page, text);
        fputc('\n', page->stream);
    }
}

/* A writer cannot know how the dump's writer is called; the folder's listing tells. */
static void write_help(const struct page *page)
{
    const char *id = page_get(page, "id");

    section(page, "To look closer");
    if (id != NULL) {
        fputs("  cairn show ", page->stream);
        page_text(page, id);
        fputs("\n", page->stream);
    }
    fputs(
        "  lldb --core FILE.dmp           the minidump beside this page: threads, memory, source\n"
        "  minidump_stackwalk FILE.dmp    stacks of all threads\n",
        page->stream);
}

static int write_page(void *context, struct cairn_writer_args *args)
{
    const struct config *config = context;
    int fd = fcntl(args->fd, F_DUPFD_CLOEXEC, 0);
    struct page page = { fd >= 0 ? fdopen(fd, "w") : NULL, args->host, args->report };
    int failed;

    if (page.stream == NULL) {
        int number = errno;

        if (fd >= 0) {
            close(fd);
        }
        return args->host->fail(args->host, "The page cannot be opened for writing: %s.",
                                strerror(number));
    }
    write_headline(&page);
    write_facts(&page);
    write_frames(&page);
    write_registers(&page);
    write_attributes(&page);
    write_breadcrumbs(&page);
    write_threads(&page, (size_t)config->threads);
    write_modules(&page, config->modules);
    write_notes(&page);
    write_help(&page);
    failed = ferror(page.stream);
    if (fclose(page.stream) != 0 || failed) {
        return args->host->fail(args->host, "The page could not be written: %s.", strerror(errno));
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_writer_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .write = write_page,
    .extension = "txt",
    .media_type = "text/plain",
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_WRITER),
    .name = "text",
    .version = "1.0.0",
    .summary = "Writes the report as a page that a person reads first.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_WRITER, "text");
