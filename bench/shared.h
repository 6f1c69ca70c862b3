/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the victim, the driver and the bare capture program agree on: one page of shared memory, the
 * memfd of which every child of the driver finds as descriptor BENCH_FD. Part of the benchmark.
 */
#ifndef CAIRN_BENCH_SHARED_H
#define CAIRN_BENCH_SHARED_H

#include <limits.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BENCH_FD 100

struct bench {
    uint32_t victim_ready; /* counts; these five are futex words */
    uint32_t limit_ready;
    uint32_t go;
    uint32_t announced; /* bare handler: the crash is described below */
    uint32_t released;  /* bare capture program: go on dying */
    int32_t pid, tid;
    uint64_t fault_ns; /* CLOCK_MONOTONIC, just before the faulting instruction */
    uint64_t start_ns; /* how long cairn_start() took */
    /* the bare capture program, CLOCK_MONOTONIC */
    uint64_t woken_ns, seized_ns, stopped_ns, registers_ns, files_ns, room_ns, read_ns,
        released_ns, written_ns;
};

static inline uint64_t bench_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Counts the word up and wakes who waits for it. */
static inline void bench_set(uint32_t *word)
{
    __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Whether the word came to `count` in time. */
static inline int bench_wait_for(const uint32_t *word, uint32_t count, unsigned seconds)
{
    const struct timespec limit = { .tv_sec = (time_t)seconds };
    const uint64_t end = bench_now() + seconds * 1000000000ull;
    uint32_t seen;

    while ((seen = __atomic_load_n(word, __ATOMIC_ACQUIRE)) < count) {
        if (bench_now() >= end) {
            return 0;
        }
        syscall(SYS_futex, word, FUTEX_WAIT, seen, &limit, NULL, 0);
    }
    return 1;
}

static inline int bench_wait(const uint32_t *word, unsigned seconds)
{
    return bench_wait_for(word, 1, seconds);
}

static inline struct bench *bench_map(void)
{
    void *memory =
        mmap(NULL, sizeof(struct bench), PROT_READ | PROT_WRITE, MAP_SHARED, BENCH_FD, 0);

    if (memory == MAP_FAILED) {
        perror("the benchmark's shared memory cannot be mapped");
        exit(71);
    }
    return memory;
}

#endif
