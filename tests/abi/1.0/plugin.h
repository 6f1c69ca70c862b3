/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cairn's plugin ABI: the only header of Cairn that a plugin includes. A plugin is one shared object
 * that exports one data symbol, `cairn_plugin_entry`. It never links to Cairn: all services come
 * through `struct cairn_host`. Compiles as C11 and as C++17.
 *
 * Where code runs. Every call into a plugin is made in a child process of its own (a "step"), after
 * the crash, with a deadline and limits: allocate, block and use any library as you like. A step that
 * crashes, hangs or exits costs this plugin's contribution and becomes a note in the report.
 * Tags on functions: [step] = called by the host in a step; [host] = provided by the host, callable
 * from any function tagged [step], from one thread at a time.
 *
 * Growth. Structures only grow at their end. Both sides write the size they were compiled with into
 * the first member, the other side looks at no more than that. `abi_major` must be equal; `abi_minor`
 * names the oldest host that a plugin can live with.
 */
#ifndef CAIRN_PLUGIN_H
#define CAIRN_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CAIRN_PLUGIN_MAGIC 0x314e5243u /* "CRN1", little endian */
#define CAIRN_ABI_MAJOR 1
#define CAIRN_ABI_MINOR 0

#if defined(__GNUC__)
#define CAIRN_PRINTF(text_, first_) __attribute__((format(printf, text_, first_)))
#define CAIRN_EXPORT __attribute__((visibility("default")))
#else
#define CAIRN_PRINTF(text_, first_)
#define CAIRN_EXPORT
#endif

enum cairn_kind {
    CAIRN_KIND_FILTER = 1,
    CAIRN_KIND_ANNOTATOR = 2,
    CAIRN_KIND_WRITER = 3,
    CAIRN_KIND_HOOK = 4,
    CAIRN_KIND_TRANSPORT = 5,
};

/* What a plugin needs; shown by `cairn plugin list`. Without the first, a step gets EACCES from
 * socket() for anything but AF_UNIX, without the second from fork(), execve() and
 * kill(), without either from ptrace() and its like, as do programs that it starts; these also get no
 * rights from set-id bits then. Threads are always possible. */
#define CAIRN_CAP_NETWORK (1ull << 0)       /* opens network connections */
#define CAIRN_CAP_PROCESSES (1ull << 1)     /* starts other programs, or forks */
#define CAIRN_CAP_PERSONAL_DATA (1ull << 2) /* can add data about the user to the report */
#define CAIRN_CAP_PREVIEW (1ull << 3)       /* a transport that knows CAIRN_SERVICE_PREVIEW */
/* An annotator that takes out what must not be kept. It is asked about each attached file, too, by
 * `attachment`; and when it fails, what it has not seen is not kept: the report loses its text
 * attributes, its message, its breadcrumbs or that file instead. */
#define CAIRN_CAP_REDACTS (1ull << 4)

/* Errors that a plugin's functions return (0 is success). Text for people goes to host->fail(). */
#define CAIRN_PLUGIN_OK 0
#define CAIRN_PLUGIN_FAILED (-1)      /* the contribution is lost; host->fail() said why */
#define CAIRN_PLUGIN_UNSUPPORTED (-2) /* this report has nothing for this plugin; not an error */

/* ---- Options ---------------------------------------------------------------------------------
 * A plugin declares its options in a table. The host parses the YAML into a zeroed structure of
 * `config_size` bytes, owned by the host until destroy() returns. How a value lies there: */
enum cairn_option_type {
    CAIRN_OPTION_STRING = 1,   /* const char *; NULL when absent without default */
    CAIRN_OPTION_BOOL = 2,     /* int32_t, 0 or 1 */
    CAIRN_OPTION_INTEGER = 3,  /* int64_t, checked against min and max unless both are 0 */
    CAIRN_OPTION_DOUBLE = 4,   /* double */
    CAIRN_OPTION_SIZE = 5,     /* uint64_t, bytes; YAML "64MiB", "10kB", "512B" */
    CAIRN_OPTION_DURATION = 6, /* uint64_t, microseconds; YAML "250ms", "30s", "5m", "1h", "7d" */
    CAIRN_OPTION_ENUM = 7,     /* int32_t, the index in `choices` */
    CAIRN_OPTION_PATH = 8,     /* const char *, absolute after "~" and relative paths are resolved */
    CAIRN_OPTION_SECRET = 9,   /* const char *; never logged, never shown */
    CAIRN_OPTION_SIGNAL = 10,  /* int32_t, the signal's number; YAML "SEGV" or "SIGSEGV" */
    CAIRN_OPTION_URL = 11,     /* const char *, http or https; may hold a token: never logged whole */
};

#define CAIRN_OPTION_REQUIRED (1u << 0)
#define CAIRN_OPTION_LIST (1u << 1) /* struct cairn_list of the type */
#define CAIRN_OPTION_MAP (1u << 2)  /* struct cairn_map from names to the type */
/* Filters: when this option is set, the filter cannot decide before the named stage. */
#define CAIRN_OPTION_NEEDS_STACK (1u << 3)
#define CAIRN_OPTION_NEEDS_REPORT (1u << 4)

struct cairn_list {
    size_t count;
    const void *items; /* an array of the element type as listed above */
};

struct cairn_map {
    size_t count;
    const char *const *keys; /* in the order of the file */
    const void *values;      /* an array of the element type as listed above */
};

struct cairn_option {
    const char *name; /* [a-z][a-z0-9_]*; NULL ends the table */
    uint32_t type;    /* enum cairn_option_type */
    uint32_t flags;   /* CAIRN_OPTION_REQUIRED, _LIST, _MAP */
    uint32_t offset;  /* of the value in the configuration structure */
    uint32_t reserved;
    const char *default_text;     /* as it would stand in the YAML (scalars only), or NULL */
    int64_t min, max;             /* for INTEGER, SIZE, DURATION; both 0: any */
    const char *const *choices;   /* for ENUM: NULL-terminated */
    const char *capture;          /* what must be captured when this option is set: "command-line",
                                     "environment"; "=" when the ENUM's value names it ("stacks",
                                     "referenced"); NULL: nothing */
    const char *help;             /* one sentence */
};

/* ---- What a plugin sees of a report ------------------------------------------------------- */

struct cairn_report; /* opaque: read it through the host */
struct cairn_host;

enum cairn_value_type {
    CAIRN_VALUE_NONE = 0,
    CAIRN_VALUE_STRING = 1,
    CAIRN_VALUE_INTEGER = 2,
    CAIRN_VALUE_DOUBLE = 3,
    CAIRN_VALUE_BOOL = 4,
    CAIRN_VALUE_UINT64 = 5, /* an address or a bit pattern; "0x…" in report.json */
};

/* A value borrowed from the host; strings live until the call that got them returns to the host. */
struct cairn_value {
    uint32_t type; /* enum cairn_value_type */
    int32_t boolean;
    int64_t integer;
    uint64_t uint64;
    double number;
    const char *string;
};

struct cairn_frame {
    uint32_t size;          /* set by the plugin before the call */
    uint32_t index;
    uint64_t address;       /* as in the process; for callers the return address */
    uint64_t module_offset; /* address minus the module's base */
    uint64_t symbol_offset;
    const char *module;     /* base name, or NULL */
    const char *module_path;
    const char *build_id;   /* lowercase hexadecimal, or NULL */
    const char *symbol;     /* nearest function symbol, or NULL */
    const char *trust;      /* "context", "cfi", "frame-pointer", "scan" */
};

struct cairn_register {
    uint32_t size; /* set by the plugin before the call */
    uint32_t reserved;
    uint64_t value;
    const char *name;
};

struct cairn_thread {
    uint32_t size; /* set by the plugin before the call */
    uint32_t id;
    uint64_t instruction_pointer, stack_pointer;
    uint64_t stack_start, stack_size; /* bytes of stack memory in the dump */
    const char *name;
    int32_t crashed; /* 1 for the thread that the report is about */
    int32_t reserved;
};

struct cairn_module {
    uint32_t size; /* set by the plugin before the call */
    uint32_t reserved;
    uint64_t base, length;
    const char *path, *build_id, *version;
};

struct cairn_breadcrumb {
    uint32_t size; /* set by the plugin before the call */
    uint32_t reserved;
    uint64_t time; /* nanoseconds since 1970, UTC */
    const char *category, *message;
};

struct cairn_artifact {
    uint32_t size; /* set by the plugin before the call */
    int32_t is_minidump;
    uint64_t bytes;
    const char *name, *media_type, *sha256;
    const char *path; /* absolute; open it read-only */
};

/* ---- Services of the host ------------------------------------------------------------------- */

enum cairn_log_level { CAIRN_LOG_ERROR = 1, CAIRN_LOG_WARNING = 2, CAIRN_LOG_INFO = 3 };

struct cairn_host {
    uint32_t size;
    uint16_t abi_major, abi_minor;

    /* [host] One line to Cairn's log, prefixed with the instance's name. */
    void (*log)(const struct cairn_host *host, int level, const char *format, ...) CAIRN_PRINTF(3, 4);
    /* [host] Records why the call fails, as a whole sentence, and returns CAIRN_PLUGIN_FAILED. */
    int (*fail)(const struct cairn_host *host, const char *format, ...) CAIRN_PRINTF(2, 3);
    /* [host] In check(): a problem with the option `option`; several may be reported. The host adds
     * file, line and column. Returns CAIRN_PLUGIN_FAILED. */
    int (*problem)(const struct cairn_host *host, const char *option, const char *format, ...)
        CAIRN_PRINTF(3, 4);
    /* [host] Adds a note to the report: something could not be done, and why. */
    void (*note)(const struct cairn_host *host, const char *format, ...) CAIRN_PRINTF(2, 3);
    /* [host] Microseconds left until the step's deadline; 0 when it is over. */
    uint64_t (*time_left)(const struct cairn_host *host);
    /* [host] The instance's name in the configuration. */
    const char *(*instance)(const struct cairn_host *host);

    /* [host] A field of the report by its path in report.json: "id", "kind", "tier", "time",
     * "signature", "pipeline", "application.name", "application.version", "crash.signal",
     * "crash.code", "crash.address", "crash.pid", "crash.tid", "crash.thread", "crash.reason",
     * "crash.message", "process.executable", "process.user", "attributes.<name>".
     * Returns 1 and fills *ret_value, or 0 when the report has no such field. */
    int (*get)(const struct cairn_host *host, const struct cairn_report *report, const char *path,
               struct cairn_value *ret_value);
    /* [host] Attributes in order; 1 while there is one at `index`, else 0. */
    int (*attribute_at)(const struct cairn_host *host, const struct cairn_report *report,
                        size_t index, const char **ret_name, struct cairn_value *ret_value);
    /* [host] The same for notes, frames of the crashed thread, its registers, threads, modules,
     * breadcrumbs (oldest first) and artifacts. */
    int (*note_at)(const struct cairn_host *host, const struct cairn_report *report, size_t index,
                   const char **ret_text);
    int (*frame_at)(const struct cairn_host *host, const struct cairn_report *report, size_t index,
                    struct cairn_frame *ret_frame);
    int (*register_at)(const struct cairn_host *host, const struct cairn_report *report,
                       size_t index, struct cairn_register *ret_register);
    int (*thread_at)(const struct cairn_host *host, const struct cairn_report *report, size_t index,
                     struct cairn_thread *ret_thread);
    int (*module_at)(const struct cairn_host *host, const struct cairn_report *report, size_t index,
                     struct cairn_module *ret_module);
    int (*breadcrumb_at)(const struct cairn_host *host, const struct cairn_report *report,
                         size_t index, struct cairn_breadcrumb *ret_breadcrumb);
    int (*artifact_at)(const struct cairn_host *host, const struct cairn_report *report,
                       size_t index, struct cairn_artifact *ret_artifact);

    /* [host] Memory of the process as it was captured. Returns the bytes copied from `address` on:
     * 0 when nothing of it was captured. */
    size_t (*read_memory)(const struct cairn_host *host, const struct cairn_report *report,
                          uint64_t address, void *buffer, size_t bytes);
    /* [host] A stream of the captured minidump by its type number; 1 when it is there. */
    int (*stream)(const struct cairn_host *host, const struct cairn_report *report, uint32_t type,
                  const void **ret_data, size_t *ret_bytes);
    /* [host] A small file of the crashed process, captured while it was held: "status", "stat",
     * "limits", "cgroup", "oom_score", "oom_score_adj", "cwd" (the link's target), "exe", "cmdline"
     * and "environ" (only when an option asked for them). NUL-terminated; 1 when it is there. */
    int (*process_file)(const struct cairn_host *host, const struct cairn_report *report,
                        const char *name, const char **ret_text, size_t *ret_bytes);
    /* [host] The captured minidump, open for reading at offset 0; the host closes it. -1 if none. */
    int (*minidump_fd)(const struct cairn_host *host, const struct cairn_report *report);

    /* [host] Annotators and hooks: set an attribute. 0, or CAIRN_PLUGIN_FAILED when the name is not
     * [A-Za-z0-9._-]{1,128}, the text exceeds 64 KiB or the output limit is reached. */
    int (*set_string)(const struct cairn_host *host, const char *name, const char *value);
    int (*set_integer)(const struct cairn_host *host, const char *name, int64_t value);
    int (*set_double)(const struct cairn_host *host, const char *name, double value);
    int (*set_bool)(const struct cairn_host *host, const char *name, int value);

    /* [host] An optional service by name and revision ("cairn.example/1"), or NULL. */
    const void *(*service)(const struct cairn_host *host, const char *name);

    void *private_data; /* the host's own */
};

/* True when the host is new enough to have `member`. */
#define CAIRN_HOST_HAS(host, member) \
    ((host)->size >= offsetof(struct cairn_host, member) + sizeof((host)->member))

/* ---- Optional services ------------------------------------------------------------------------
 * What host->service() answers: a structure that begins with its size, or NULL when this host does
 * not have it. A plugin must be able to live without. */

/* A small file of the instance's own, which outlives the step: <application folder>/state/
 * <kind>-<instance>. */
#define CAIRN_SERVICE_STATE "cairn.state/1"
#define CAIRN_STATE_MAX_BYTES (1u << 20) /* a file that has grown beyond is emptied */

struct cairn_state_service {
    uint32_t size;
    uint32_t reserved;
    /* [host] The file, made if need be, open for reading and writing at offset 0 and locked against
     * the other steps of this instance until the descriptor is closed, at the step's end at the
     * latest. -1 when it cannot be had, after a note that says why. Not in check(). */
    int (*open)(const struct cairn_host *host);
};

/* Annotators: texts of the report that are no attributes, to be replaced. They take effect when the
 * call succeeds. */
#define CAIRN_SERVICE_TEXTS "cairn.texts/1"
#define CAIRN_TEXTS_MAX_BYTES 4096u

struct cairn_texts_service {
    uint32_t size;
    uint32_t reserved;
    /* [host] "crash.message" and a breadcrumb's message. 0, or CAIRN_PLUGIN_FAILED when there is no
     * such breadcrumb, the text exceeds CAIRN_TEXTS_MAX_BYTES or the output limit is reached. */
    int (*set_message)(const struct cairn_host *host, const char *text);
    int (*set_breadcrumb)(const struct cairn_host *host, size_t index, const char *message);
};

/* Writers: what becomes of the artifact, where it is not just what was written to the descriptor. */
#define CAIRN_SERVICE_ARTIFACT "cairn.artifact/1"
#define CAIRN_ARTIFACT_MAX_HOLES 4096u

struct cairn_hole {
    uint64_t offset, bytes; /* within the file */
};

struct cairn_artifact_service {
    uint32_t size;
    uint32_t reserved;
    /* [host] Extension ("dmp.zst", at most 16 bytes of [a-z0-9.]) and media type (at most 64 bytes)
     * of this artifact instead of the plugin's. 0, or CAIRN_PLUGIN_FAILED when they are not like
     * that. */
    int (*set_type)(const struct cairn_host *host, const char *extension, const char *media_type);
    /* [host] The captured minidump itself becomes the artifact, once the holes in it, sorted and not
     * overlapping, have been filled with zeros; what was written to the descriptor does not count.
     * 0, or CAIRN_PLUGIN_FAILED when that cannot be: then copy it. */
    int (*take_minidump)(const struct cairn_host *host, const struct cairn_hole *holes,
                         size_t count);
    /* [host] How many bytes may be written to the descriptor: more would exceed the instance's
     * output_limit or engine.limits.report, and cost the artifact. UINT64_MAX: any. */
    uint64_t (*room)(const struct cairn_host *host);
    /* [host] 1 when an annotator has replaced what the report's minidump still has, by its path:
     * "attributes.<name>", "crash.message", "breadcrumbs.<index>". An artifact that is made of the
     * minidump must not have the original. */
    int (*replaced)(const struct cairn_host *host, const struct cairn_report *report,
                    const char *path);
};

/* Transports: there when somebody wants to see what would leave the machine. Then send() goes the
 * same way as ever up to the transfer, hands over what it would transfer, piece by piece and in
 * order, and returns with the outcome CAIRN_DELIVERED instead of sending it. Only a transport that
 * declares CAIRN_CAP_PREVIEW is called with it, and has no network then. */
#define CAIRN_SERVICE_PREVIEW "cairn.preview/1"

enum cairn_preview_kind {
    CAIRN_PREVIEW_TARGET = 1, /* name: "POST", "copy"; data: the URL or path. At most one */
    CAIRN_PREVIEW_HEADER = 2, /* name, data */
    CAIRN_PREVIEW_FIELD = 3,  /* name, data */
    CAIRN_PREVIEW_FILE = 4,   /* name, data or path; filename and media_type as they are sent */
};

struct cairn_preview_part {
    uint32_t size; /* set by the plugin */
    uint32_t kind; /* enum cairn_preview_kind */
    const char *name;
    const void *data; /* without NUL bytes, but in a file */
    size_t bytes;
    const char *path; /* of a file: absolute, and still there after send(), as the report's are */
    const char *filename, *media_type; /* of a file; or NULL */
};

struct cairn_preview_service {
    uint32_t size;
    uint32_t reserved;
    /* [host] Shows one part; values of options that may be secret are hidden by the host. 0, or
     * CAIRN_PLUGIN_FAILED when it is no such part or the output limit is reached. */
    int (*part)(const struct cairn_host *host, const struct cairn_preview_part *part);
};

/* ---- The kinds --------------------------------------------------------------------------------
 * All operations structures begin alike. Only the kind's own call is mandatory.
 *   check    [step] judge the configuration alone: no files, no network; report by host->problem().
 *   create   [step] make the instance's context.
 *   destroy  [step] free it; is called with what create() gave.
 * The order within one step: check, create, the call, destroy. No state survives a step. */

#define CAIRN_OPS_HEAD                                                                       \
    uint32_t size;                                                                           \
    uint32_t flags;                                                                          \
    int (*check)(const struct cairn_host *host, const void *config);                         \
    int (*create)(const struct cairn_host *host, const void *config, void **ret_context);    \
    void (*destroy)(void *context)

/* The earliest moment at which a filter can decide, in filter_ops.flags; options marked
 * CAIRN_OPTION_NEEDS_… raise it when they are set. */
#define CAIRN_STAGE_CRASH 0u  /* signal, process and application are known */
#define CAIRN_STAGE_STACK 1u  /* also frames and signature */
#define CAIRN_STAGE_REPORT 2u /* also the attributes of all annotators */

enum cairn_action { CAIRN_KEEP = 0, CAIRN_DROP = 1 };

struct cairn_filter_args {
    uint32_t size;
    uint32_t reserved;
    const struct cairn_host *host;
    const struct cairn_report *report;
    int32_t action;     /* out: enum cairn_action; CAIRN_KEEP at first */
    char reason[244];   /* out: why it is dropped, one sentence without its full stop */
    /* When it is kept: */
    char instead_of[40]; /* out: the id of an earlier report whose place this one takes, or ""; that
                            one is deleted and counted unless it was delivered already */
    uint64_t defer;      /* out: microseconds for which its delivery waits, at most a day */
};

struct cairn_filter_ops {
    CAIRN_OPS_HEAD;
    int (*decide)(void *context, struct cairn_filter_args *args);
};

struct cairn_annotator_args {
    uint32_t size;
    uint32_t reserved;
    const struct cairn_host *host;
    const struct cairn_report *report;
};

/* A file that the program attached, before it is written to the disk. */
struct cairn_attachment_args {
    uint32_t size;
    int32_t from; /* open for reading */
    int32_t to;   /* open for writing, empty: what becomes of it */
    int32_t reserved;
    const struct cairn_host *host;
    const struct cairn_report *report;
    const char *name; /* its base name */
};

struct cairn_annotator_ops {
    CAIRN_OPS_HEAD;
    int (*annotate)(void *context, struct cairn_annotator_args *args);
    /* Optional, with CAIRN_CAP_REDACTS: CAIRN_PLUGIN_UNSUPPORTED leaves the file as it is. In a step
     * of its own for each file: check, create, this, destroy. */
    int (*attachment)(void *context, struct cairn_attachment_args *args);
};

struct cairn_writer_args {
    uint32_t size;
    int32_t fd; /* open for writing, empty; the host names, syncs and closes it */
    const struct cairn_host *host;
    const struct cairn_report *report;
};

struct cairn_writer_ops {
    CAIRN_OPS_HEAD;
    int (*write)(void *context, struct cairn_writer_args *args);
    const char *extension;  /* "dmp": the artifact's name is "<instance>.dmp" */
    const char *media_type; /* "application/x-dmp" */
};

struct cairn_hook_args {
    uint32_t size;
    uint32_t reserved;
    const struct cairn_host *host;
    const struct cairn_report *report;
    const char *folder; /* the committed report's folder, absolute */
};

struct cairn_hook_ops {
    CAIRN_OPS_HEAD;
    int (*run)(void *context, struct cairn_hook_args *args);
};

enum cairn_delivery {
    CAIRN_DELIVERED = 0,
    CAIRN_RETRY = 1,    /* try again later; not before retry_after if that is set */
    CAIRN_REJECTED = 2, /* for good: the server will never take it */
};

struct cairn_transport_args {
    uint32_t size;
    uint32_t attempt; /* 1 for the first */
    const struct cairn_host *host;
    const struct cairn_report *report;
    const char *folder;
    int32_t outcome;        /* out: enum cairn_delivery; CAIRN_RETRY at first */
    int32_t response_code;  /* out: HTTP status or the like, 0 if none */
    uint64_t retry_after;   /* out: microseconds from now, 0 if the server named none */
    char server_id[256];    /* out: the id under which the server keeps it */
    char error[512];        /* out: one sentence when not delivered; no tokens in it */
};

struct cairn_transport_ops {
    CAIRN_OPS_HEAD;
    int (*send)(void *context, struct cairn_transport_args *args);
};

/* ---- The descriptor ------------------------------------------------------------------------- */

struct cairn_plugin {
    uint32_t magic, size;
    uint16_t abi_major, abi_minor;
    uint32_t kind;                      /* enum cairn_kind */
    uint64_t capabilities;              /* CAIRN_CAP_… */
    const char *name;                   /* [a-z][a-z0-9_-]*, the file's base name without ".so" */
    const char *version, *summary;      /* summary: one sentence */
    const struct cairn_option *options; /* ended by a NULL name, or NULL */
    uint32_t option_size;               /* sizeof(struct cairn_option) */
    uint32_t config_size;               /* bytes of the configuration structure */
    const void *ops;                    /* struct cairn_<kind>_ops */
};

#define CAIRN_PLUGIN_HEAD(kind_)                                                             \
    CAIRN_PLUGIN_MAGIC, (uint32_t)sizeof(struct cairn_plugin), CAIRN_ABI_MAJOR,              \
        CAIRN_ABI_MINOR, (kind_)

/* The identity once more as an ELF note, so that it can be read without loading: owner "Cairn",
 * type 1, description: magic, abi_major | abi_minor << 16, kind, then the name. Placed by the macro
 * below, once per plugin, at file scope. */
#define CAIRN_NOTE_TYPE 1u
#define CAIRN_PLUGIN_NOTE(kind_, name_)                                                      \
    __attribute__((used, section(".note.cairn"), aligned(4))) static const struct {          \
        uint32_t name_bytes, description_bytes, type;                                        \
        char owner[8];                                                                       \
        uint32_t magic, abi, kind;                                                           \
        char plugin_name[(sizeof(name_) + 3) / 4 * 4];                                       \
    } cairn_plugin_note = { 6, 12 + (sizeof(name_) + 3) / 4 * 4, CAIRN_NOTE_TYPE, "Cairn",   \
                            CAIRN_PLUGIN_MAGIC, CAIRN_ABI_MAJOR | (CAIRN_ABI_MINOR << 16),   \
                            (kind_), name_ }

extern CAIRN_EXPORT const struct cairn_plugin cairn_plugin_entry;

#ifdef __cplusplus
}
#endif

#endif
