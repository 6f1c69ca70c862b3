/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a crashed thread does, for tests: the handler's own header is the kernel's, and cannot be
 * had together with libc's.
 */
#ifndef CAIRN_TESTS_UNIT_CRASH_THREAD_H
#define CAIRN_TESTS_UNIT_CRASH_THREAD_H

/* Another thread has the gate, and has made its report. */
void crash_thread_close_gate(int other_tid);
/* This thread crashes, too: non-zero when it has the gate. */
int crash_thread_enter_gate(int tid);
void crash_thread_leave_gate(int tid);
/* The outcome of its crash is known: it dies. Non-zero: it was open. */
int crash_thread_die(int tid);

#endif
