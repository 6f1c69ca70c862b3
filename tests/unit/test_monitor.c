/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's parts that need no program: identifiers, folders, the shared page
 * as hostile input, what the check's engine may do wrong. Runs as an ordinary process.
 */
#include "core/minidump/format.h"
#include "core/monitor/check.h"
#include "core/monitor/clock.h"
#include "core/monitor/dump.h"
#include "core/monitor/identity.h"
#include "core/monitor/incoming.h"
#include "core/monitor/jobs.h"
#include "core/monitor/look.h"
#include "core/monitor/page.h"
#include "core/monitor/plan.h"
#include "core/monitor/spare.h"
#include "core/monitor/uuid.h"
#include "tests/unit/good_plan.h"
#include "tests/unit/tap.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_uuid(void)
{
    struct uuid first, second;
    unsigned long long ms;
    unsigned high, low;

    uuid_make(&first);
    uuid_make(&second);
    CU_ASSERT_EQUAL(strlen(first.text), 36);
    CU_ASSERT_EQUAL(first.text[14], '7');
    CU_ASSERT_PTR_NOT_NULL(strchr("89ab", first.text[19]));
    CU_ASSERT_EQUAL(strspn(first.text, "0123456789abcdef-"), 36);
    CU_ASSERT_STRING_NOT_EQUAL(first.text, second.text);
    CU_ASSERT_EQUAL(sscanf(first.text, "%8x-%4x-", &high, &low), 2);
    ms = (unsigned long long)high << 16 | low;
    CU_ASSERT(clock_read(CLOCK_REALTIME) / CLOCK_MILLISECOND - ms < 10000);
    CU_ASSERT_EQUAL(first.bytes[0], high >> 24);
}

/* An application folder; the caller removes it by remove_folder(). */
static int make_folder(char path[64], bool with_incoming)
{
    strcpy(path, "/tmp/cairn-monitor-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(path));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    if (with_incoming) {
        CU_ASSERT_EQUAL(mkdirat(fd, INCOMING_FOLDER, 0700), 0);
    }
    return fd;
}

static void remove_folder(int fd, const char *path)
{
    unlinkat(fd, INCOMING_FOLDER, AT_REMOVEDIR);
    close(fd);
    CU_ASSERT_EQUAL(rmdir(path), 0);
}

static void test_incoming_commit(void)
{
    char path[64];
    struct stat status;
    struct uuid id;
    struct incoming incoming;
    char name[128];

    int folder = make_folder(path, true);
    uuid_make(&id);
    CU_ASSERT_EQUAL_FATAL(incoming_create(folder, id.text, &incoming), 0);
    snprintf(name, sizeof(name), "%s/%s", INCOMING_FOLDER, id.text);
    CU_ASSERT_EQUAL(fstatat(folder, name, &status, 0), 0);
    CU_ASSERT_EQUAL(status.st_mode & 07777, 0700);
    CU_ASSERT_EQUAL(fstat(incoming.file, &status), 0);
    CU_ASSERT_EQUAL(status.st_mode & 07777, 0600);
    int other = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_EQUAL(flock(other, LOCK_EX | LOCK_NB), -1); /* somebody works on it */
    CU_ASSERT_EQUAL(faccessat(incoming.folder, INCOMING_CAPTURE, F_OK, 0), -1);
    CU_ASSERT_TRUE(incoming_is_unnamed(&incoming));
    CU_ASSERT_EQUAL(incoming_reserve(&incoming, 4096), 0);
    CU_ASSERT_EQUAL(incoming_reserve(&incoming, 1ull << 62), -EFBIG);
    CU_ASSERT_EQUAL(incoming_commit(&incoming), 0);
    CU_ASSERT_FALSE(incoming_is_unnamed(&incoming));
    CU_ASSERT_EQUAL(faccessat(incoming.folder, INCOMING_CAPTURE, F_OK, 0), 0);
    CU_ASSERT_EQUAL(faccessat(incoming.folder, INCOMING_TEMPORARY, F_OK, 0), -1);
    CU_ASSERT_EQUAL(incoming_sync(&incoming), 0);
    struct incoming again;
    CU_ASSERT_EQUAL(incoming_create(folder, id.text, &again), -EEXIST);
    incoming_discard(&incoming);
    incoming_close(&incoming);
    CU_ASSERT_EQUAL(fstatat(folder, name, &status, 0), -1);
    close(other);
    remove_folder(folder, path);
}

static void test_incoming_refused(void)
{
    char path[64];
    struct incoming incoming;

    int folder = make_folder(path, false);
    CU_ASSERT_EQUAL(incoming_create(folder, "x", &incoming), -ENOENT);
    CU_ASSERT_EQUAL(symlinkat("/tmp", folder, INCOMING_FOLDER), 0);
    CU_ASSERT_EQUAL(incoming_create(folder, "x", &incoming), -ENOTDIR); /* a link is not followed */
    CU_ASSERT_EQUAL(unlinkat(folder, INCOMING_FOLDER, 0), 0);
    remove_folder(folder, path);
}

static int make_page_file(off_t bytes, int seals)
{
    int fd = memfd_create("page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const uint64_t magic = PAGE_MAGIC;
    const uint32_t version_and_size[2] = { PAGE_VERSION, sizeof(struct page) };

    CU_ASSERT_EQUAL(pwrite(fd, &magic, sizeof(magic), 0), sizeof(magic));
    CU_ASSERT_EQUAL(pwrite(fd, version_and_size, 8, 8), 8);
    CU_ASSERT_EQUAL(ftruncate(fd, bytes), 0);
    CU_ASSERT_EQUAL(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void test_page_verified(void)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    struct page *page = NULL;
    int fd;

    fd = make_page_file(sizeof(struct page), seals);
    CU_ASSERT_EQUAL_FATAL(page_map(fd, &page), 0);
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), -1); /* nothing is left open */
    munmap(page, sizeof(*page));
    fd = make_page_file(sizeof(struct page), F_SEAL_GROW);
    CU_ASSERT_EQUAL(page_map(fd, &page), -EINVAL);
    close(fd);
    fd = make_page_file(sizeof(struct page) - 1, seals);
    CU_ASSERT_EQUAL(page_map(fd, &page), -EINVAL);
    close(fd);
    fd = make_page_file(sizeof(struct page), seals);
    CU_ASSERT_EQUAL(pwrite(fd, "x", 1, 0), 1);
    CU_ASSERT_EQUAL(page_map(fd, &page), -EINVAL);
    close(fd);
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    CU_ASSERT_EQUAL(page_map(fd, &page), -EINVAL);
    CU_ASSERT_EQUAL(page_pidfd_process(fd), -EINVAL); /* not a pidfd either */
    close(fd);
    CU_ASSERT_EQUAL(page_map(fd, &page), -EBADF);
}

static void test_identity(void)
{
    static const char stat[] =
        "7 (a) S 1 2 3) R 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 54321 "
        "8192 100 184467";
    static struct monitor monitor; /* as long as the thread that it has parked: for good */
    struct dump dump;
    struct dump_event event = { .kind = MINIDUMP_KIND_REQUEST, .message = "" };
    pid_t child = fork();

    CU_ASSERT_EQUAL(identity_parse(stat, sizeof(stat) - 1), 54321);
    CU_ASSERT_EQUAL(identity_parse(stat, 20), 0);
    CU_ASSERT_EQUAL(identity_parse("", 0), 0);
    if (child == 0) {
        for (;;) {
            pause();
        }
    }
    CU_ASSERT_NOT_EQUAL(identity_read(child), 0);
    event.pid = event.tid = child;
    monitor = (struct monitor){ .pid = getpid(), .program = -1 };
    monitor.plan.hold_ms = 5000;
    monitor.page = page_make();
    event.born = identity_read(child);
    CU_ASSERT_EQUAL(dump_take(&dump, &monitor, &event), 0);
    dump_finish(&dump, false);
    event.born++; /* as if the id had been another process's before */
    CU_ASSERT_EQUAL(dump_take(&dump, &monitor, &event), -ESRCH);
    munmap(monitor.page, sizeof(*monitor.page));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* A process that has a spare and then ends, or is done; the spare says so in `file`. */
static void have_spare(int file, bool done)
{
    pid_t spare = spare_fork(file);

    if (spare == 0) {
        _exit(write(file, "spare", 5) == 5 ? 0 : 1);
    }
    if (done) {
        spare_dismiss(spare);
    }
    _exit(spare > 0 ? 0 : 1);
}

static void test_spare(void)
{
    char text[8] = "";

    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* spares become children of this process */
    for (int done = 0; done < 2; done++) {
        int file = memfd_create("minidump", MFD_CLOEXEC), children = 0, status;
        pid_t owner = fork();

        if (owner == 0) {
            have_spare(file, done != 0);
        }
        for (pid_t pid; (pid = wait(&status)) > 0; children++) {
            CU_ASSERT_TRUE(pid != owner || status == 0);
        }
        CU_ASSERT_TRUE(children == 2 || (done != 0 && children == 1));
        CU_ASSERT_EQUAL(pread(file, text, sizeof(text), 0), done != 0 ? 0 : 5);
        close(file);
    }
    CU_ASSERT_STRING_EQUAL(text, "spare");
}

/* Whoever leaves EMPTY first makes the report. */
static void test_reserve(void)
{
    char path[64];
    struct reserve reserve;
    int folder = make_folder(path, true);

    CU_ASSERT_EQUAL_FATAL(reserve_make(folder, getpid(), &reserve), 0);
    reserve_begin(&reserve, getpid(), "0190163d-8694-739b-aea5-966c26f8ad90");
    CU_ASSERT_STRING_EQUAL(reserve.about->other, "0190163d-8694-739b-aea5-966c26f8ad90");
    CU_ASSERT_EQUAL(reserve.about->whole, 0);
    reserve_tell_whole(&reserve);
    CU_ASSERT_EQUAL(reserve.about->whole, 1);
    reserve.about->state = MINIDUMP_RESERVE_WRITING;
    CU_ASSERT_FALSE(reserve_close(&reserve));
    reserve.about->state = MINIDUMP_RESERVE_EMPTY;
    CU_ASSERT_TRUE(reserve_close(&reserve));
    CU_ASSERT_TRUE(reserve_close(&reserve));
    CU_ASSERT_EQUAL(reserve.about->state, MINIDUMP_RESERVE_CLOSED);
    reserve_finish(&reserve, folder);
    CU_ASSERT_EQUAL(reserve.file, -1);
    remove_folder(folder, path); /* the reserve is gone */
}

static void test_page_slot(void)
{
    struct page *page = page_make();

    CU_ASSERT_PTR_NOT_NULL_FATAL(page);
    struct page_slot *slot = &page->slots[SLOT_CRASH];
    CU_ASSERT_FALSE(page_move(slot, SLOT_CLAIMED, SLOT_TAKEN));
    slot->state = SLOT_TAKEN;
    CU_ASSERT_TRUE(page_release(page, slot, SLOT_TAKEN, "id", "/path"));
    CU_ASSERT_EQUAL(slot->success, 1);
    CU_ASSERT_STRING_EQUAL(page_path(page, slot), "/path");
    slot->state = SLOT_ABANDONED;
    CU_ASSERT_FALSE(page_release(page, slot, SLOT_CAPTURED, "", ""));
    CU_ASSERT_EQUAL(slot->success, 0);
    CU_ASSERT_EQUAL(page_state(slot), SLOT_ABANDONED);
    memset(page->application, 'a', sizeof(page->application));
    char text[8];
    page_copy_text(text, sizeof(text), page->application, sizeof(page->application));
    CU_ASSERT_STRING_EQUAL(text, "aaaaaaa");
    munmap(page, sizeof(*page));
}

/* Settings whose "engine" is a script with this body. */
static void make_engine(struct engine_settings *settings, const char *body)
{
    memset(settings, 0, sizeof(*settings));
    strcpy(settings->program, "/tmp/cairn-engine-XXXXXX");
    settings->config_text = -1;
    strcpy(settings->executable, "/bin/true");
    int fd = mkstemp(settings->program);
    CU_ASSERT_FATAL(fd >= 0);
    dprintf(fd, "#!/bin/sh\n%s\n", body);
    CU_ASSERT_EQUAL(fchmod(fd, 0700), 0);
    close(fd);
}

static int run_check(const char *body, char problem[1024])
{
    struct engine_settings settings;
    struct plan plan;

    make_engine(&settings, body);
    int result = check_run(&settings, NULL, &plan, problem, 1024);
    unlink(settings.program);
    return result;
}

static void test_check(void)
{
    struct engine_settings settings = { .program = "/nonexistent/cairn-engine", .config_text = -1 };
    struct plan plan;
    char problem[1024];

    CU_ASSERT_EQUAL(run_check("printf '" GOOD_PLAN "'", problem), 0);
    CU_ASSERT_EQUAL(check_run(&settings, NULL, &plan, problem, sizeof(problem)), -ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "could not be started: No such file or directory."));
    CU_ASSERT_EQUAL(run_check("echo 'x.yaml:1:2: bad' >&2; exit 78", problem), CHECK_PROBLEMS);
    CU_ASSERT_STRING_EQUAL(problem, "x.yaml:1:2: bad\n");
    CU_ASSERT_EQUAL(run_check("echo why >&2; exit 70", problem), -EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "(exit status 70).\nwhy"));
    CU_ASSERT_EQUAL(run_check("kill -SEGV $$", problem), -EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "ended by signal 11"));
    CU_ASSERT_EQUAL(run_check("exit 0", problem), -EINVAL);
    CU_ASSERT_STRING_EQUAL(problem, "cairn-engine printed no plan.");
    /* More than it may say, on both ends: bounded, not blocked. */
    CU_ASSERT_EQUAL(run_check("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2", problem),
                    -EINVAL);
    CU_ASSERT_EQUAL(run_check("head -c 300000 /dev/zero | tr '\\0' x >&2; exit 78", problem),
                    CHECK_PROBLEMS);
    CU_ASSERT_EQUAL(strlen(problem), 1023);
    /* What it leaves behind may keep the pipes open: nobody waits for that. */
    uint64_t began = clock_now();
    CU_ASSERT_EQUAL(run_check("printf '" GOOD_PLAN "'; sleep 5 & exit 0", problem), 0);
    CU_ASSERT(clock_now() - began < 3 * CLOCK_SECOND);
}

static enum job_outcome run_report(const char *body, uint64_t clock_ns, bool until_end)
{
    const struct log log = { .folder = -1 };
    struct jobs jobs = { .log = &log };
    struct engine_settings settings;
    struct engine engine;

    make_engine(&settings, body);
    CU_ASSERT_EQUAL_FATAL(engine_start_report(&settings, "/nowhere", STDIN_FILENO, -1, -1, &engine),
                          0);
    struct job *job = jobs_add(&jobs, &engine, "id", clock_now() + clock_ns);
    CU_ASSERT_PTR_NOT_NULL_FATAL(job);
    CU_ASSERT_FALSE(jobs_are_idle(&jobs));
    CU_ASSERT_FALSE(jobs_are_decided(&jobs));
    enum job_outcome outcome = jobs_wait(&jobs, job, until_end);
    CU_ASSERT_TRUE(jobs_are_decided(&jobs));
    jobs_wait(&jobs, job, true);
    CU_ASSERT_TRUE(jobs_are_idle(&jobs));
    unlink(settings.program);
    return outcome;
}

static void test_jobs(void)
{
    uint64_t began = clock_now();

    CU_ASSERT_EQUAL(run_report("echo committed pending", 5 * CLOCK_SECOND, true), JOB_COMMITTED);
    CU_ASSERT_EQUAL(
        run_report("printf comm; printf 'itted delivered\\nmore\\n'", 5 * CLOCK_SECOND, false),
        JOB_COMMITTED);
    CU_ASSERT_EQUAL(run_report("echo dropped", 5 * CLOCK_SECOND, true), JOB_DROPPED);
    CU_ASSERT_EQUAL(run_report("exit 70", 5 * CLOCK_SECOND, true), JOB_FAILED);
    CU_ASSERT_EQUAL(run_report("head -c 100000 /dev/zero; echo nonsense", 5 * CLOCK_SECOND, true),
                    JOB_FAILED);
    CU_ASSERT_EQUAL(run_report("exec >&-; sleep 30", CLOCK_SECOND / 5, true), JOB_FAILED);
    CU_ASSERT_EQUAL(run_report("sleep 30 & wait", CLOCK_SECOND / 5, true), JOB_FAILED);
    CU_ASSERT(clock_now() - began < 10 * CLOCK_SECOND);
}

static void test_jobs_are_bounded(void)
{
    const struct log log = { .folder = -1 };
    struct jobs jobs = { .log = &log };
    struct engine_settings settings;
    struct pollfd polled[JOBS_POLL_MAX];
    uint64_t deadline = clock_now() + CLOCK_SECOND / 2;

    make_engine(&settings, "sleep 30");
    for (int i = 0; i < JOBS_MAX; i++) {
        struct engine engine;
        CU_ASSERT_TRUE(jobs_have_room(&jobs));
        CU_ASSERT_EQUAL_FATAL(engine_start_recover(&settings, "/nowhere", -1, &engine), 0);
        CU_ASSERT_PTR_NOT_NULL(jobs_add(&jobs, &engine, "", deadline + (uint64_t)i));
    }
    CU_ASSERT_FALSE(jobs_have_room(&jobs));
    CU_ASSERT_TRUE(jobs_are_decided(&jobs)); /* a recovery answers nothing */
    CU_ASSERT_EQUAL(jobs_poll(&jobs, polled), JOBS_POLL_MAX);
    CU_ASSERT_EQUAL(jobs_deadline(&jobs), deadline);
    while (!jobs_are_idle(&jobs)) {
        nfds_t count = jobs_poll(&jobs, polled);
        poll(polled, count, clock_poll_timeout(jobs_deadline(&jobs)));
        jobs_work(&jobs);
    }
    CU_ASSERT(clock_now() - deadline < 2 * CLOCK_SECOND);
    CU_ASSERT_EQUAL(jobs_deadline(&jobs), CLOCK_NEVER);
    unlink(settings.program);
}

/* What an engine gets (the shell looks itself, as it blocks signals while it starts a command):
 * descriptors 0, 1, 2, 4 and 5 as asked for, no LD_*, no blocked signal. */
static void test_engine_start(void)
{
    static const char body[] =
        "for fd in 0 1 2 3 4 5 6 7 8 9; do\n"
        "[ -e /proc/$$/fd/$fd ] && set -- \"$@\" \"$fd\"; done\n"
        "printf '%s ' \"$@\" >\"$0.out\"; cat <&4 >>\"$0.out\"\n"
        "while read -r key value; do [ \"$key\" != SigBlk: ] || echo \"$key $value\"\n"
        "done </proc/$$/status >>\"$0.out\"; env >>\"$0.out\"\n";
    struct engine_settings settings;
    struct engine engine;
    char name[PATH_MAX + 8];
    char text[65536];
    sigset_t blocked, old;

    make_engine(&settings, body);
    snprintf(name, sizeof(name), "%s.out", settings.program);
    settings.config_text = engine_keep_text("version: 1\n", 11);
    CU_ASSERT_FATAL(settings.config_text >= 0);
    CU_ASSERT_EQUAL(pwrite(settings.config_text, "x", 1, 0), -1); /* sealed */
    setenv("LD_PRELOAD", "", 1);
    setenv("LD_LIBRARY_PATH", "/nonexistent", 1);
    engine_clean_environment();
    sigfillset(&blocked);
    sigprocmask(SIG_BLOCK, &blocked, &old);
    for (int round = 0; round < 2; round++) { /* the text is read from its start each time */
        CU_ASSERT_EQUAL_FATAL(
            engine_start_report(&settings, "/folder", STDIN_FILENO, -1, STDERR_FILENO, &engine), 0);
        CU_ASSERT_EQUAL(engine_collect(&engine, clock_now() + 5 * CLOCK_SECOND), 0);
        int fd = open(name, O_RDONLY | O_CLOEXEC);
        ssize_t bytes = read(fd, text, sizeof(text) - 1);
        close(fd);
        CU_ASSERT_FATAL(bytes > 0);
        text[bytes] = '\0';
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "report --folder /folder --lock-fd 5 --config-fd 4 "
                                            "--executable /bin/true 0 1 2 4 5 "));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "version: 1\nSigBlk: 0000000000000000\n"));
        CU_ASSERT_PTR_NULL(strstr(text, "LD_"));
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    close(settings.config_text);
    unlink(settings.program);
    unlink(name);
}

static pid_t start_sleeper(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            pause();
        }
    }
    return pid;
}

/* The thread's number comes from the program, which may name somebody else's. */
static void test_look(void)
{
    pid_t program = start_sleeper(), other = start_sleeper();
    uint64_t seen = 0;

    for (int i = 0; i < 100 && seen == 0; i++) { /* it does not wait for long for one that runs */
        seen = look_at_stack_pointer(program, program);
    }
    CU_ASSERT_NOT_EQUAL(seen, 0);
    CU_ASSERT_EQUAL(look_at_stack_pointer(program, other), 0);
    kill(program, SIGKILL);
    kill(other, SIGKILL);
    waitpid(program, NULL, 0);
    waitpid(other, NULL, 0);
}

static const struct tap_test tests[] = {
    { "identifiers are UUIDs of version 7", test_uuid },
    { "a minidump appears complete", test_incoming_commit },
    { "a folder that is not safe is refused", test_incoming_refused },
    { "only a sealed page is mapped", test_page_verified },
    { "an id that another process has now is noticed", test_identity },
    { "a spare goes on where its owner ends", test_spare },
    { "one of two makes a crash's report", test_reserve },
    { "a slot is answered once", test_page_slot },
    { "only the program's own threads are looked at", test_look },
    { "a check's answers", test_check },
    { "an engine's answers", test_jobs },
    { "engines are few, and end", test_jobs_are_bounded },
    { "an engine's descriptors, signals, environment", test_engine_start },
    { NULL, NULL },
};

int main(void)
{
    /* What a test driver leaves open is not what the tests look for. */
    close_range(3, ~0u, 0);
    return tap_run("monitor", tests);
}
