/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn doctor`'s trial: itself under `cairn run`, crashing, with a configuration and a spool of
 * its own in a temporary folder. What the report says of the capture is what a user's program can
 * expect.
 */
#include "tools/doctor.h"

#include "core/report/consent.h"
#include "core/report/spool.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRIAL_MS    20000
#define REPORT_MS   10000
#define POLL_MS     20
#define APPLICATION "cairn-doctor"

int doctor_crash(void)
{
    struct rlimit none = { 0, 0 };
    volatile int *volatile nowhere = (volatile int *)16;

    setrlimit(RLIMIT_CORE, &none);
    *nowhere = 1;
    return 1;
}

/* Writes the trial's configuration into `folder`; its path. */
static bool write_config(const char *folder, char *path, size_t capacity)
{
    char text[PATH_MAX + 256];
    int bytes = snprintf(text, sizeof(text),
                         "version: 1\nengine: { spool: \"%s/spool\", limits: { free: 1MiB } }\n"
                         "writers: { dump: { plugin: minidump } }\n"
                         "pipelines: { default: { writers: [dump] } }\n",
                         folder);
    int fd;

    if (bytes < 0 || (size_t)bytes >= sizeof(text) ||
        snprintf(path, capacity, "%s/cairn.yaml", folder) >= (int)capacity) {
        return false;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || fs_write_all(fd, text, (size_t)bytes) != 0) {
        bytes = -1;
    }
    if (fd >= 0) {
        close(fd);
    }
    return bytes >= 0;
}

static bool load_newest(const char *spool, struct report **ret_report)
{
    struct spool_entry entry;
    bool loaded = false;
    int folder;

    if (spool_find(spool, APPLICATION, "latest", &entry, NULL) != 0) {
        return false;
    }
    folder = fs_open_directory(AT_FDCWD, entry.path, NULL);
    if (folder >= 0) {
        loaded = entry.state != SPOOL_INCOMING && spool_load(folder, ret_report, NULL) == 0;
        close(folder);
    }
    spool_entry_finish(&entry);
    return loaded;
}

/* The engine works on after the program has died. */
static struct report *wait_for_report(const char *folder)
{
    const struct timespec pause = { 0, POLL_MS * 1000000 };
    struct report *report = NULL;
    char spool[PATH_MAX + 8];

    snprintf(spool, sizeof(spool), "%s/spool", folder);
    for (int waited = 0; waited < REPORT_MS; waited += POLL_MS) {
        if (load_newest(spool, &report)) {
            return report;
        }
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void judge(struct doctor *doctor, const struct report *report)
{
    uint64_t held = 0;

    for (size_t i = 0; i < report->timing_count; i++) {
        if (strcmp(report->timings[i].name, "held_us") == 0) {
            held = report->timings[i].microseconds;
        }
    }
    if (report->signal != SIGSEGV) {
        doctor_say(doctor, DOCTOR_BAD, "trial", "The report says that signal %d came, not SIGSEGV.",
                   report->signal);
    } else if (report->tier > 1) {
        doctor_say(doctor, DOCTOR_BAD, "trial",
                   "A program crashed and its report is there, but captured by tier %d: %s",
                   report->tier, report->tier_reason != NULL ? report->tier_reason : "");
    } else {
        doctor_say(doctor, DOCTOR_OK, "trial",
                   "A program crashed and its report is there: tier 1, %zu frames, held for "
                   "%" PRIu64 ".%" PRIu64 " ms.",
                   report->frame_count, held / 1000, held / 100 % 10);
    }
    for (size_t i = 0; i < report->note_count; i++) {
        doctor_say(doctor, DOCTOR_NOTE, "trial", "%s", report->notes[i]);
    }
}

static void try_in(struct doctor *doctor, const char *folder)
{
    char self[PATH_MAX] = "", config[PATH_MAX], output[1024] = "";
    char *arguments[] = { self, "run",    "-c",      config, "--application", APPLICATION, "--",
                          self, "doctor", "--crash", NULL };
    struct report *report;
    int status;

    if (readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0 ||
        !write_config(folder, config, sizeof(config))) {
        doctor_say(doctor, DOCTOR_BAD, "trial", "The trial cannot be prepared: %s.",
                   strerror(errno));
        return;
    }
    status = doctor_run(arguments, TRIAL_MS, output, sizeof(output));
    output[strcspn(output, "\n")] = '\0';
    if (status == -1) {
        doctor_say(doctor, DOCTOR_BAD, "trial", "The program that was to crash did not end. %s",
                   output);
        return;
    }
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV) {
        doctor_say(doctor, DOCTOR_BAD, "trial",
                   "The program that was to crash ended otherwise (status 0x%x). %s",
                   (unsigned)status, output);
        return;
    }
    report = wait_for_report(folder);
    if (report == NULL) {
        doctor_say(doctor, DOCTOR_BAD, "trial", "A program crashed, but no report came of it. %s",
                   output);
        return;
    }
    judge(doctor, report);
    report_destroy(report);
}

void doctor_try(struct doctor *doctor)
{
    const char *parent = getenv("TMPDIR");
    enum consent_verdict verdict;
    char folder[PATH_MAX];
    struct error why;

    if (consent_ask(CONSENT_DISK, APPLICATION, false, &verdict, &why) == 0 &&
        verdict != CONSENT_ALLOWED) {
        doctor_say(doctor, DOCTOR_NOTE, "trial",
                   "No program is let crash, since reports may not "
                   "be kept.");
        return;
    }

    snprintf(folder, sizeof(folder), "%s/cairn-doctor-XXXXXX",
             parent != NULL && parent[0] == '/' ? parent : "/tmp");
    if (mkdtemp(folder) == NULL) {
        doctor_say(doctor, DOCTOR_BAD, "trial", "No folder can be made in %s: %s.", folder,
                   strerror(errno));
        return;
    }
    try_in(doctor, folder);
    fs_remove_tree(AT_FDCWD, folder, NULL);
}
