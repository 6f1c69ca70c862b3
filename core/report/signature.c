/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grouping key of a crash. Crashes with one cause should agree across runs, machines and
 * address layouts, and need no symbols to do so. Engine.
 *
 * SHA-256 over the signal's name and up to eight frames from the top, cut to 128 bits. A frame is
 * its module's base name and its function, or the module's build id and the offset in it where no
 * function is known; outside of modules (code made at run time) it is "?". Not counted are the
 * frames at the top that only carry out the death (abort, raise, an assertion, an uncaught
 * exception), nor a frame that stands for one of the key already: so stack overflows of different
 * depth agree. A death has no frames: its key is of the program's name, the signal and the cause.
 */
#include "core/report/report_inner.h"

#include "core/util/buf.h"
#include "core/util/text.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 8
#define DIGITS 32

/* Functions by which a program dies rather than why. Patterns of fnmatch(3). */
static const char *const death_functions[] = {
    "__pthread_kill*",
    "pthread_kill*",
    "raise",
    "gsignal",
    "kill",
    "tgkill",
    "__GI_*",
    "abort",
    "__assert*",
    "__libc_message*",
    "__libc_fatal",
    "malloc_printerr*",
    "__fortify_fail*",
    "__stack_chk_fail*",
    "__chk_fail*",
    "__restore_rt",
    "__kernel_rt_sigreturn",
    "_Unwind_*",
    /* C++: uncaught exceptions, mangled and demangled */
    "std::terminate*",
    "_ZSt9terminatev",
    "__cxa_throw",
    "__cxa_rethrow",
    "__cxa_call_terminate",
    "__gxx_personality_v0",
    "*__verbose_terminate_handler*",
    "__cxxabiv1::*",
    "_ZN10__cxxabiv1*",
    "std::__throw_*",
    "_ZSt*__throw_*",
};

/* Libraries whose frames without a symbol are part of the death when abort() was called. */
static const char *const runtime_modules[] = { "libc.so*",      "libc-*.so",       "ld-linux*",
                                               "ld-musl*",      "libpthread*.so*", "libstdc++.so*",
                                               "libgcc_s.so*",  "libc++.so*",      "libc++abi.so*",
                                               "linux-gate.so", "linux-vdso.so*" };

static bool matches(const char *const *patterns, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (fnmatch(patterns[i], text, 0) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_death(const struct report *report, const struct report_frame *frame)
{
    if (frame->symbol != NULL) {
        return matches(death_functions, sizeof(death_functions) / sizeof(death_functions[0]),
                       frame->symbol);
    }
    return report->signal == SIGABRT && frame->module != NULL &&
           matches(runtime_modules, sizeof(runtime_modules) / sizeof(runtime_modules[0]),
                   frame->module);
}

/* The first frame that counts; 0 when none would be left. */
static size_t first_frame(const struct report *report)
{
    size_t i = 0;

    while (i < report->frame_count && is_death(report, &report->frames[i])) {
        i++;
    }
    return i < report->frame_count ? i : 0;
}

static char *frame_text(const struct report_frame *frame)
{
    struct buf text;

    buf_init(&text, 4096);
    if (frame->module == NULL) {
        buf_text(&text, "?");
    } else if (frame->symbol != NULL) {
        buf_printf(&text, "%s!%s", frame->module, frame->symbol);
    } else {
        buf_printf(&text, "%s@%s+0x%" PRIx64, frame->module,
                   frame->build_id != NULL ? frame->build_id : "", frame->module_offset);
    }
    return buf_take(&text);
}

static bool contains(char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* The texts of the frames that count; *ret_known is false when all lie outside of modules. */
static int choose(const struct report *report, char *chosen[FRAMES], size_t *ret_count,
                  bool *ret_known)
{
    size_t count = 0;
    bool known = false;

    for (size_t i = first_frame(report); i < report->frame_count && count < FRAMES; i++) {
        char *text = frame_text(&report->frames[i]);

        if (text == NULL) {
            *ret_count = count;
            return CAIRN_ENOMEM;
        }
        if (contains(chosen, count, text)) {
            free(text);
            continue;
        }
        known = known || report->frames[i].module != NULL;
        chosen[count++] = text;
    }
    *ret_count = count;
    *ret_known = known;
    return 0;
}

static int digest(const struct report *report, char *const *texts, size_t count, char ret_hex[65])
{
    struct buf all;
    char buffer[16];

    buf_init(&all, 64 * 1024);
    buf_text(&all, report->signal != 0      ? text_signal_name(report->signal, buffer)
                   : report->reason != NULL ? report->reason
                                            : report->kind);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&all, "\n%s", texts[i]);
    }
    if (all.failed != 0) {
        buf_finish(&all);
        return CAIRN_ENOMEM;
    }
    text_sha256(all.data, all.bytes, ret_hex);
    buf_finish(&all);
    return 0;
}

/* Of a death without frames: the program, what ended it, and why. */
static int sign_death(struct report *report)
{
    static const char *const facts[] = { "death.cause", "death.exit_status" };
    const char *program = report->executable != NULL ? report->executable : report->application;
    char hex[65], signal[16];
    struct buf all;

    buf_init(&all, 64 * 1024);
    buf_printf(&all, "death\n%s\n%s", program != NULL ? text_base_name(program) : "",
               report->signal != 0 ? text_signal_name(report->signal, signal) : "");
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        const struct cairn_value *value = report_attribute(report, facts[i]);

        buf_printf(&all, "\n%s", value != NULL && value->string != NULL ? value->string : "");
        if (value != NULL && value->type == CAIRN_VALUE_INTEGER) {
            buf_printf(&all, "%" PRId64, value->integer);
        }
    }
    if (all.failed != 0) {
        buf_finish(&all);
        return CAIRN_ENOMEM;
    }
    text_sha256(all.data, all.bytes, hex);
    buf_finish(&all);
    hex[DIGITS] = '\0';
    return report_text(&report->signature, hex);
}

int report_sign(struct report *report)
{
    char *texts[FRAMES];
    char hex[65];
    size_t count;
    bool known = false;
    int result;

    if (report_is_death(report)) {
        return sign_death(report);
    }
    result = choose(report, texts, &count, &known);
    if (result == 0 && known) {
        result = digest(report, texts, count, hex);
    }
    if (result == 0) {
        hex[known ? DIGITS : 0] = '\0';
        result = report_text(&report->signature, known ? hex : NULL);
    }
    for (size_t i = 0; i < count; i++) {
        free(texts[i]);
    }
    return result;
}
