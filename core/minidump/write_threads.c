/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minidump's streams about threads: list, names, and the exception. Runs in the monitor and in
 * the clone of a crashed program; imports nothing.
 */
#include "core/minidump/write_parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#define CONTEXT_FLAGS 0x0010000fu /* AMD64: control, integer, segments, floating point */
#define MXCSR_OFFSET  24          /* in the FXSAVE area */

static void fill_context(struct layout_context *context, const struct arch_registers *registers)
{
    const struct arch_general *from = &registers->general;

    context->flags = CONTEXT_FLAGS;
    context->cs = (uint16_t)from->cs;
    context->ds = (uint16_t)from->ds;
    context->es = (uint16_t)from->es;
    context->fs = (uint16_t)from->fs;
    context->gs = (uint16_t)from->gs;
    context->ss = (uint16_t)from->ss;
    context->eflags = (uint32_t)from->eflags;
    context->rax = from->rax;
    context->rcx = from->rcx;
    context->rdx = from->rdx;
    context->rbx = from->rbx;
    context->rsp = from->rsp;
    context->rbp = from->rbp;
    context->rsi = from->rsi;
    context->rdi = from->rdi;
    context->r8 = from->r8;
    context->r9 = from->r9;
    context->r10 = from->r10;
    context->r11 = from->r11;
    context->r12 = from->r12;
    context->r13 = from->r13;
    context->r14 = from->r14;
    context->r15 = from->r15;
    context->rip = from->rip;
    if (registers->vector_bytes >= ARCH_FXSAVE_BYTES) {
        capture_copy(context->fxsave, registers->vectors, sizeof(context->fxsave));
        capture_copy(&context->mxcsr, registers->vectors + MXCSR_OFFSET, sizeof(context->mxcsr));
    }
}

/* Readers want a context for every thread: those without registers share one of zeros. */
static struct layout_location write_context(struct write *write,
                                            const struct capture_thread *thread)
{
    struct layout_context context = { .flags = CONTEXT_FLAGS };
    struct layout_location at = { sizeof(context), 0 };

    if (!thread->has_registers && write->no_registers.bytes != 0) {
        return write->no_registers;
    }
    if (thread->has_registers) {
        fill_context(&context, &thread->registers);
    }
    at.rva = write_copy(write, &context, sizeof(context));
    if (!thread->has_registers && !write->failed) {
        write->no_registers = at;
    }
    return at;
}

/* Returns where the crashed thread's context is. */
static struct layout_location write_list(struct write *write)
{
    const struct capture *capture = write->capture;
    uint32_t count = (uint32_t)capture->thread_count;
    size_t bytes = sizeof(count) + count * sizeof(struct layout_thread);
    uint32_t list = write_room(write, bytes);
    struct layout_location crashed = { 0, 0 };

    write_over(write, list, &count, sizeof(count));
    for (size_t i = 0; i < count; i++) {
        const struct capture_thread *thread = &capture->threads[i];
        uint32_t at = list + (uint32_t)(sizeof(count) + i * sizeof(struct layout_thread));
        struct layout_thread entry = { .id = (uint32_t)thread->tid };

        entry.context = write_context(write, thread);
        entry.thread_pointer = arch_thread_pointer(&thread->registers);
        entry.stack.start = thread->stack_start;
        write_over(write, at, &entry, sizeof(entry));
        write_memory_location(write, at + (uint32_t)offsetof(struct layout_thread, stack.at),
                              thread->stack_start, thread->stack_bytes);
        if (i == capture->crashed) {
            crashed = entry.context;
        }
    }
    write_stream(write, MINIDUMP_STREAM_THREAD_LIST, list, bytes);
    return crashed;
}

static void write_names(struct write *write)
{
    const struct capture *capture = write->capture;
    uint32_t count = (uint32_t)capture->thread_count;
    size_t bytes = sizeof(count) + count * sizeof(struct layout_thread_name);
    uint32_t list = write_room(write, bytes);

    write_over(write, list, &count, sizeof(count));
    for (size_t i = 0; i < count; i++) {
        const struct capture_thread *thread = &capture->threads[i];
        struct layout_thread_name entry = { (uint32_t)thread->tid, 0 };

        entry.name_rva = write_string(write, thread->name,
                                      capture_length_within(thread->name, sizeof(thread->name)));
        write_over(write, list + (uint32_t)(sizeof(count) + i * sizeof(entry)), &entry,
                   sizeof(entry));
    }
    write_stream(write, MINIDUMP_STREAM_THREAD_NAMES, list, bytes);
}

/* What a signal says besides its address: who sent it, or which system call was refused. */
static void fill_signal(const struct capture *capture, struct layout_exception *exception)
{
    struct siginfo info;

    capture_copy(&info, capture->siginfo, sizeof(info) < 128 ? sizeof(info) : 128);
    exception->code = (uint32_t)capture->request.signal;
    exception->flags = (uint32_t)info.si_code;
    if (capture->request.signal == SIGSYS) {
        exception->address = (uint64_t)info.si_call_addr;
        exception->parameters[0] = (uint64_t)info.si_syscall;
        exception->parameters[1] = info.si_arch;
        exception->parameter_count = 2;
    } else if (info.si_code <= 0) { /* sent by a process, not caused by an instruction */
        exception->parameters[0] = (uint64_t)info.si_pid;
        exception->parameters[1] = info.si_uid;
        exception->parameter_count = 2;
    } else {
        exception->address = (uint64_t)info.si_addr;
    }
}

static void write_exception(struct write *write, struct layout_location context)
{
    const struct capture *capture = write->capture;
    struct layout_exception exception = { .thread_id = (uint32_t)capture->request.tid };

    exception.context = context;
    if (capture->request.signal != 0) {
        fill_signal(capture, &exception);
    } else {
        exception.code = MINIDUMP_EXCEPTION_DUMP_REQUESTED;
        if (capture->crashed != SIZE_MAX) {
            exception.address =
                arch_instruction_pointer(&capture->threads[capture->crashed].registers);
        }
    }
    write_stream(write, MINIDUMP_STREAM_EXCEPTION, write_copy(write, &exception, sizeof(exception)),
                 sizeof(exception));
}

void write_threads(struct write *write)
{
    struct layout_location crashed = write_list(write);

    write_exception(write, crashed);
    write_names(write);
}

/* What a thread costs besides its context: its entries in both lists, its name in UTF-16. */
#define ENTRY_BYTES (sizeof(struct layout_thread) + sizeof(struct layout_thread_name) + 4 + 2 * 16)

static void drop_threads(struct capture *capture, size_t count)
{
    if (capture->crashed != SIZE_MAX && capture->crashed >= count) {
        capture->threads[count - 1] = capture->threads[capture->crashed];
        capture->crashed = count - 1;
    }
    capture_note(capture, "%llu threads did not fit the report: they are missing.",
                 (unsigned long long)(capture->thread_count - count));
    capture->thread_count = count;
}

void write_fit_threads(struct write *write, size_t bytes)
{
    struct capture *capture = write->capture;
    size_t most = bytes / ENTRY_BYTES, contexts, dropped = 0;

    if (capture->thread_count > most && most > 0) {
        drop_threads(capture, most);
    }
    contexts = (bytes - capture->thread_count * ENTRY_BYTES) / sizeof(struct layout_context);
    for (size_t i = 0; i < capture->thread_count; i++) {
        struct capture_thread *thread = &capture->threads[i];

        if (i == capture->crashed || !thread->has_registers) {
            continue;
        }
        if (contexts > 2) { /* the crashed thread's, and the one of zeros */
            contexts--;
        } else {
            thread->has_registers = 0;
            thread->stack_bytes = 0;
            dropped++;
        }
    }
    if (dropped > 0) {
        capture_note(capture, "The registers of %llu threads did not fit the report.",
                     (unsigned long long)dropped);
    }
}
