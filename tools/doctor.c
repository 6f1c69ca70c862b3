/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn doctor`: whether crashes of this user's programs, or of one program, would be reported
 * here, and what is in the way. Ends with trials: a program of its own crashes, per tier.
 */
#include "tools/doctor.h"
#include "tools/options.h"

#include "core/util/paths.h"
#include "core/util/text.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_BAD 1

void doctor_say(struct doctor *doctor, enum doctor_verdict verdict, const char *name,
                const char *format, ...)
{
    static const char *const verdicts[] = { "ok", "note", "bad" };
    char sentence[2048], *printable;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    printable = text_printable(sentence, strlen(sentence));
    if (doctor->json) {
        printf("%s\n    {\"name\": \"%s\", \"verdict\": \"%s\", \"text\": ",
               doctor->found > 0 ? "," : "", name, verdicts[verdict]);
        tool_print_json(printable != NULL ? printable : "");
        putchar('}');
    } else {
        printf("%-5s %-14s %s\n", verdicts[verdict], name, printable != NULL ? printable : "");
    }
    fflush(stdout); /* what takes time comes after what is known */
    free(printable);
    doctor->found++;
    doctor->bad += verdict == DOCTOR_BAD;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads until the end or the deadline; false when that came first. */
static bool collect(int fd, int64_t deadline, char *output, size_t capacity)
{
    size_t used = 0;
    char rest[512];

    output[0] = '\0';
    for (;;) {
        int64_t left = deadline - now_ms();
        struct pollfd entry = { fd, POLLIN, 0 };
        bool room = used + 1 < capacity;
        ssize_t got;

        if (left <= 0 || poll(&entry, 1, (int)left) <= 0) {
            return false;
        }
        got = read(fd, room ? output + used : rest, room ? capacity - 1 - used : sizeof(rest));
        if (got <= 0) {
            return got == 0;
        }
        used += room ? (size_t)got : 0;
        output[used] = '\0';
    }
}

int doctor_run(char *const *arguments, unsigned deadline_ms, char *output, size_t capacity)
{
    int ends[2], status = -1;
    bool whole;
    pid_t child;

    fflush(stdout);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execv(arguments[0], arguments);
        _exit(127);
    }
    close(ends[1]);
    whole = child > 0 && collect(ends[0], now_ms() + deadline_ms, output, capacity);
    close(ends[0]);
    if (child > 0) {
        if (!whole) {
            kill(-child, SIGKILL);
            kill(child, SIGKILL);
        }
        if (waitpid(child, &status, 0) != child || !whole) {
            status = -1;
        }
    }
    return status;
}

/* `program` may be NULL. */
static void look(struct doctor *doctor, const char *config, const char *program)
{
    if (doctor->json) {
        printf("{\n  \"findings\": [");
    }
    doctor_look_at_kernel(doctor);
    doctor_look_at_setup(doctor, config != NULL ? config : paths_config());
    if (program != NULL) {
        doctor_look_at_program(doctor, program);
    }
    doctor_try(doctor);
    if (doctor->json) {
        printf("\n  ],\n  \"ok\": %s\n}\n", doctor->bad == 0 ? "true" : "false");
    }
}

static int run(const struct tool *tool, int argc, char **argv)
{
    struct doctor doctor = { .found = 0 };
    struct tool_options options;
    int code;

    if (argc == 2 && strcmp(argv[1], "--crash") == 0) {
        return doctor_crash();
    }
    code = tool_parse(tool, "+jc", argc, argv, &options);
    if (code != TOOL_GO_ON) {
        return code;
    }
    if (argc - optind > 1) {
        return tool_usage(tool, "Only one program can be looked at.");
    }
    doctor.json = options.json;
    look(&doctor, options.config, optind < argc ? argv[optind] : NULL);
    return fflush(stdout) != 0 ? EX_IOERR : doctor.bad == 0 ? EX_OK : EXIT_BAD;
}

const struct tool tool_doctor = {
    .name = "doctor",
    .synopsis = "[--json] [-c FILE] [PROGRAM]",
    .summary = "say what works here, what does not, and why",
    .help =
        "Looks at the kernel, permissions, limits, the configuration, plugins and the spool; with\n"
        "PROGRAM also whether `cairn run` can report its crashes. Then a small program crashes "
        "into\n"
        "a spool of its own that is deleted afterwards, and its report is looked at; then once "
        "more\n"
        "for each way that is left when the monitor is dead (tiers 2 and 3). Sends nothing.\n\n"
        "  -c, --config FILE      the configuration; default: the installed one\n"
        "      --json             an object with the array \"findings\" and \"ok\"\n\n"
        "Exit status: 0 all is well, 1 something is bad, 64 wrong usage.\n",
    .run = run,
};
