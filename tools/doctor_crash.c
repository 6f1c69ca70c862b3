/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn doctor`'s trials: itself under `cairn run`, crashing, with a configuration and a spool of
 * its own in a temporary folder, once as it comes and once per lower tier. What the reports say of
 * the capture is what a user's program can expect.
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define TRIAL_MS    20000
#define REPORT_MS   10000
#define POLL_MS     20
#define APPLICATION "cairn-doctor"

/* One crash: which tier is asked for, if not the best, and which one has to come of it. */
struct trial {
    const char *name, *asked, *when;
    int tier;
};

static const struct trial trials[] = {
    { "trial", NULL, "", 1 },
    { "tier-2", "2", " without its monitor", 2 },
    { "tier-2-copy", "2-copy", " without its monitor or ptrace,", 2 },
    { "tier-3", "3", " without its monitor, ptrace or another process,", 3 },
};

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
        loaded = spool_load(folder, ret_report, NULL) == 0;
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

static uint64_t held_us(const struct report *report)
{
    for (size_t i = 0; i < report->timing_count; i++) {
        if (strcmp(report->timings[i].name, "held_us") == 0) {
            return report->timings[i].microseconds;
        }
    }
    return 0;
}

static void judge(struct doctor *doctor, const struct trial *trial, const struct report *report)
{
    uint64_t held = held_us(report);

    if (report->signal != SIGSEGV) {
        doctor_say(doctor, DOCTOR_BAD, trial->name,
                   "The report says that signal %d came, not SIGSEGV.", report->signal);
    } else if (report->tier > trial->tier) {
        doctor_say(doctor, DOCTOR_BAD, trial->name,
                   "A program crashed%s and its report is there, but captured by tier %d: %s",
                   trial->when, report->tier,
                   report->tier_reason != NULL ? report->tier_reason : "");
    } else if (report->tier == 1) {
        doctor_say(doctor, DOCTOR_OK, trial->name,
                   "A program crashed and its report is there: tier 1, %zu frames, held for "
                   "%" PRIu64 ".%" PRIu64 " ms.",
                   report->frame_count, held / 1000, held / 100 % 10);
    } else {
        doctor_say(doctor, DOCTOR_OK, trial->name,
                   "A program crashed%s and its report is there: tier %d, %zu frames.", trial->when,
                   report->tier, report->frame_count);
    }
    for (size_t i = 0; i < report->note_count; i++) {
        doctor_say(doctor, DOCTOR_NOTE, trial->name, "%s", report->notes[i]);
    }
}

/* False when the program did not even crash, so that there is no use in going on. */
static bool crash_one(struct doctor *doctor, const struct trial *trial, char *const *arguments,
                      const char *folder)
{
    char output[1024] = "";
    struct report *report;
    int status = doctor_run(arguments, TRIAL_MS, output, sizeof(output));

    output[strcspn(output, "\n")] = '\0';
    if (status == -1) {
        doctor_say(doctor, DOCTOR_BAD, trial->name, "The program that was to crash did not end. %s",
                   output);
        return false;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG && strstr(output, "the policy ")) {
        doctor_say(doctor, DOCTOR_NOTE, trial->name,
                   "No program is let crash, since the policy does not let this trial have a spool "
                   "of its own: %s",
                   output);
        return false;
    }
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV) {
        doctor_say(doctor, DOCTOR_BAD, trial->name,
                   "The program that was to crash ended otherwise (status 0x%x). %s",
                   (unsigned)status, output);
        return false;
    }
    report = wait_for_report(folder);
    if (report == NULL) {
        doctor_say(doctor, DOCTOR_BAD, trial->name,
                   "A program crashed%s, but no report came of it. %s", trial->when, output);
        return true;
    }
    judge(doctor, trial, report);
    report_destroy(report);
    return true;
}

/* The trial's configuration stands in the place of the installed one, with its policy; where that
 * is somebody else's, it counts nevertheless. */
static bool try_in(struct doctor *doctor, const struct trial *trial, const char *parent)
{
    char self[PATH_MAX] = "", config[PATH_MAX], folder[PATH_MAX];
    char *arguments[] = { self, "run",    "-c",      config, "--application", APPLICATION, "--",
                          self, "doctor", "--crash", NULL };

    if (snprintf(folder, sizeof(folder), "%s/%s", parent, trial->name) >= (int)sizeof(folder) ||
        mkdir(folder, 0700) != 0 || readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0 ||
        !write_config(folder, config, sizeof(config)) || setenv("CAIRN_CONFIG", config, 1) != 0 ||
        (trial->asked != NULL ? setenv("CAIRN_TEST_TIER", trial->asked, 1)
                              : unsetenv("CAIRN_TEST_TIER")) != 0) {
        doctor_say(doctor, DOCTOR_BAD, trial->name, "The trial cannot be prepared: %s.",
                   strerror(errno));
        return false;
    }
    return crash_one(doctor, trial, arguments, folder);
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
    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
        if (!try_in(doctor, &trials[i], folder)) {
            break;
        }
    }
    fs_remove_tree(AT_FDCWD, folder, NULL);
}
