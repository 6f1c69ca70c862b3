/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crash matrix's victim: one program, one way to crash per kind, files by theme. It knows
 * nothing of Cairn, so that the same program shows how it ends without; embedded.c adds the start,
 * prepared.c what its threads do.
 */
#ifndef CAIRN_TESTS_CRASH_VICTIMS_VICTIM_H
#define CAIRN_TESTS_CRASH_VICTIMS_VICTIM_H

struct kind {
    const char *name;
    void (*run)(const char *argument); /* "" without one */
};

/* The themes; each ends with a NULL name. */
extern const struct kind fault_kinds[], limit_kinds[], moment_kinds[], sandbox_kinds[];
extern const struct kind signal_kinds[], stack_kinds[], thread_kinds[];

/* Faults at address 16. What the matrix calls the crash site of most kinds. */
void crash_here(void);
/* Names the calling thread "crasher": the one that the report has to blame. */
void be_crasher(void);
/* Runs `crash` in a second thread, called from thread_body(), as the crasher. */
void crash_in_thread(void (*crash)(void));

/* Cairn embedded: starts it, and prepares a new thread. NULL where nothing is to be done. */
int start_cairn(const char *config) __attribute__((weak));
void prepare_thread(void) __attribute__((weak));

/* Writes a whole line to standard output, without stdio. */
void say(const char *text);
/* Ends the victim with a status of its own: this way to crash cannot be had here. */
void cannot(const char *what) __attribute__((noreturn));

#define CANNOT_STATUS 77

#endif
