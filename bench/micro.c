/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Cairn costs while nothing happens. One measurement per run, in a fresh process:
 *
 *     micro start            microseconds of cairn_start()
 *     micro start-no-wait    the same with CAIRN_START_NO_WAIT
 *     micro annotation       nanoseconds of one cairn_set_string()
 *     micro breadcrumb       nanoseconds of one cairn_breadcrumb()
 *     micro idle             starts Cairn, says "ready", sleeps until its input ends
 *
 * Environment: BENCH_CONFIG, the configuration file. Built twice: micro-bare has no BENCH_CAIRN, no
 * libcairn, and knows "idle" only.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef BENCH_CAIRN
#include <cairn/cairn.h>
#endif

#define BATCHES 101
#define CALLS   2000

static void sleep_until_told(void)
{
    char byte;

    printf("ready\n");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
}

#ifdef BENCH_CAIRN
static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void begin(uint32_t flags)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[1024] = "";

    options.flags = flags;
    options.config_file = getenv("BENCH_CONFIG");
    if (cairn_start(&options, NULL, error, sizeof(error)) != 0) {
        fprintf(stderr, "micro: %s\n", error);
        exit(78);
    }
}

/* Nanoseconds that cairn_start() took. */
static uint64_t start(uint32_t flags)
{
    uint64_t began = now();

    begin(flags);
    return now() - began;
}

static int annotate(unsigned call)
{
    static const char *const values[] = { "checkout", "payment" };

    return cairn_set_string(NULL, "request.stage", values[call % 2]);
}

static int leave_crumb(unsigned call)
{
    return cairn_breadcrumb(NULL, "http", call % 2 != 0 ? "GET /cart 200" : "POST /order 201");
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* The median batch: interruptions spoil single ones. */
static void measure(int (*call)(unsigned))
{
    static double batches[BATCHES];

    start(0);
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        uint64_t began = now();

        for (unsigned i = 0; i < CALLS; i++) {
            if (call(i) != 0) {
                fprintf(stderr, "micro: the call failed\n");
                exit(70);
            }
        }
        batches[batch] = (double)(now() - began) / CALLS;
    }
    qsort(batches, BATCHES, sizeof(batches[0]), compare);
    printf("%.1f\n", batches[BATCHES / 2]);
}

static int run(const char *what)
{
    if (strcmp(what, "start") == 0) {
        printf("%.1f\n", (double)start(0) / 1000);
    } else if (strcmp(what, "start-no-wait") == 0) {
        printf("%.1f\n", (double)start(CAIRN_START_NO_WAIT) / 1000);
    } else if (strcmp(what, "annotation") == 0) {
        measure(annotate);
    } else if (strcmp(what, "breadcrumb") == 0) {
        measure(leave_crumb);
    } else if (strcmp(what, "idle") == 0) {
        begin(0); /* reads no clock, as the bare program does not */
        sleep_until_told();
    } else {
        return 64;
    }
    return 0;
}
#else
static int run(const char *what)
{
    if (strcmp(what, "idle") != 0) {
        return 64;
    }
    sleep_until_told();
    return 0;
}
#endif

int main(int argc, char **argv)
{
    int status = argc == 2 ? run(argv[1]) : 64;

    if (status == 64) {
        fprintf(stderr, "usage: micro start|start-no-wait|annotation|breadcrumb|idle\n");
    }
    return status;
}
