/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool in a temporary folder: states and locks, finding, moving, quotas and their counters,
 * and what is refused: links, foreign permissions, names that are no ids.
 */
#include "core/report/spool.h"
#include "core/util/fs.h"
#include "core/util/text.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static char base[64], spool[80];
static int application; /* "shop" in the spool */

/* Ids whose order is that of their number. */
static const char *id_of(unsigned number)
{
    static char ids[4][37];
    static unsigned next;
    char *id = ids[next++ % 4];

    snprintf(id, 37, "0193c1de-%04x-7000-8000-000000000000", number);
    return id;
}

static void begin(void)
{
    struct error error = { 0 };

    strcpy(base, "/tmp/cairn-spool-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(base));
    snprintf(spool, sizeof(spool), "%s/spool", base);
    application = spool_open(spool, "shop", &error);
    CU_ASSERT_FATAL(application >= 0);
}

static void end(void)
{
    close(application);
    CU_ASSERT_EQUAL(fs_remove_tree(AT_FDCWD, base, NULL), 0);
}

/* A report in a state, with a signature and a file of `bytes` bytes. */
static void put(unsigned number, enum spool_state state, const char *signature, size_t bytes)
{
    struct report *report = report_create();
    int folder = spool_create(application, id_of(number), NULL), file;

    CU_ASSERT_FATAL(folder >= 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    strcpy(report->id, id_of(number));
    CU_ASSERT_EQUAL(report_text(&report->application, "shop"), 0);
    CU_ASSERT_EQUAL(report_text(&report->signature, signature), 0);
    CU_ASSERT_EQUAL(spool_save(folder, report, NULL), 0);
    report_destroy(report);
    file = openat(folder, "dump.dmp", O_WRONLY | O_CREAT, 0600);
    CU_ASSERT_FATAL(file >= 0);
    CU_ASSERT_EQUAL(ftruncate(file, (off_t)bytes), 0);
    close(file);
    if (state != SPOOL_INCOMING) {
        CU_ASSERT_EQUAL(spool_move(application, SPOOL_INCOMING, state, id_of(number), NULL), 0);
    }
    close(folder);
}

static bool is_in(unsigned number, enum spool_state state)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/shop/%s/%s", spool, spool_state_name(state), id_of(number));
    return access(path, F_OK) == 0;
}

/* The numbers below 16 that are in the state, as a bit each. */
static unsigned all_in(enum spool_state state)
{
    unsigned bits = 0;

    for (unsigned number = 0; number < 16; number++) {
        bits |= is_in(number, state) ? 1u << number : 0;
    }
    return bits;
}

static bool drops_are(const char *expected)
{
    char *data = NULL;
    size_t bytes;
    bool equal = fs_read_file(application, "drops.json", 4096, &data, &bytes, NULL) == 0 &&
                 strcmp(data, expected) == 0;

    if (!equal) {
        fprintf(stderr, "# drops.json: %s\n", data != NULL ? data : "(none)");
    }
    free(data);
    return equal;
}

static void test_states(void)
{
    struct report *report = NULL;
    struct stat status;
    struct error error = { 0 };
    int folder, second;

    begin();
    CU_ASSERT_EQUAL(fstat(application, &status), 0);
    CU_ASSERT_EQUAL(status.st_mode & 07777, 0700);
    folder = spool_create(application, id_of(1), &error);
    CU_ASSERT_FATAL(folder >= 0);
    CU_ASSERT_EQUAL(spool_create(application, id_of(1), &error), CAIRN_ESYSTEM);
    CU_ASSERT_EQUAL(spool_lock(application, SPOOL_INCOMING, id_of(1), &error), CAIRN_EBUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, id_of(1)));
    CU_ASSERT_EQUAL(spool_load(folder, &report, &error), CAIRN_ENOENT);
    report = report_create();
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    strcpy(report->id, id_of(1));
    CU_ASSERT_EQUAL(spool_save(folder, report, &error), 0);
    report_destroy(report);
    CU_ASSERT_EQUAL(fstatat(folder, SPOOL_REPORT, &status, 0), 0);
    CU_ASSERT_EQUAL(status.st_mode & 07777, 0600);
    CU_ASSERT_EQUAL(spool_move(application, SPOOL_INCOMING, SPOOL_PENDING, id_of(1), &error), 0);
    CU_ASSERT_EQUAL(spool_lock(application, SPOOL_INCOMING, id_of(1), &error), CAIRN_ENOENT);
    CU_ASSERT_EQUAL(spool_lock(application, SPOOL_PENDING, id_of(1), &error), CAIRN_EBUSY);
    close(folder);
    second = spool_lock(application, SPOOL_PENDING, id_of(1), &error);
    CU_ASSERT_FATAL(second >= 0);
    CU_ASSERT_EQUAL_FATAL(spool_load(second, &report, &error), 0);
    CU_ASSERT_STRING_EQUAL(report->id, id_of(1));
    report_destroy(report);
    close(second);
    CU_ASSERT_EQUAL(spool_move(application, SPOOL_INCOMING, SPOOL_PENDING, id_of(1), &error),
                    CAIRN_ENOENT);
    end();
}

/* What happens just before the next lock; libc's flock() is this one. */
static void (*before_lock)(void);

int flock(int fd, int operation)
{
    void (*act)(void) = before_lock;

    before_lock = NULL;
    if (act != NULL) {
        act();
    }
    return (int)syscall(SYS_flock, fd, operation);
}

static void move_away(void)
{
    CU_ASSERT_EQUAL(spool_move(application, SPOOL_PENDING, SPOOL_DELIVERED, id_of(1), NULL), 0);
}

static void move_and_replace(void)
{
    move_away();
    put(1, SPOOL_PENDING, "b", 0);
}

/* Between being opened and being locked; the folder that is held is then no longer the one meant.
 */
static void test_moved(void)
{
    struct error error = { 0 };

    begin();
    put(1, SPOOL_PENDING, "a", 0);
    before_lock = move_away;
    CU_ASSERT_EQUAL(spool_lock(application, SPOOL_PENDING, id_of(1), &error), CAIRN_ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "no longer where it was"));
    CU_ASSERT_EQUAL(spool_move(application, SPOOL_DELIVERED, SPOOL_PENDING, id_of(1), &error), 0);
    before_lock = move_and_replace;
    CU_ASSERT_EQUAL(spool_lock(application, SPOOL_PENDING, id_of(1), &error), CAIRN_ENOENT);
    CU_ASSERT_PTR_NULL(before_lock);
    end();
}

static void test_names(void)
{
    static const char *const wrong[] = { "",        "..",
                                         "../../x", "0193c1de",
                                         "latest",  "0193c1de-0000-7000-8000-00000000000/" };
    struct spool_list list;
    struct error error = { 0 };
    int fd;

    begin();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CU_ASSERT_EQUAL(spool_create(application, wrong[i], &error), CAIRN_EINVAL);
        CU_ASSERT_EQUAL(spool_lock(application, SPOOL_PENDING, wrong[i], &error), CAIRN_EINVAL);
        CU_ASSERT_EQUAL(spool_move(application, SPOOL_PENDING, SPOOL_DELIVERED, wrong[i], &error),
                        CAIRN_EINVAL);
    }
    fd = spool_open(spool, "../näme", &error);
    CU_ASSERT_FATAL(fd >= 0);
    close(spool_create(fd, id_of(1), &error));
    close(fd);
    CU_ASSERT_EQUAL_FATAL(spool_scan(spool, NULL, &list, &error), 0);
    CU_ASSERT_EQUAL_FATAL(list.count, 1);
    CU_ASSERT_STRING_EQUAL(list.entries[0].application, "../näme");
    CU_ASSERT_PTR_NOT_NULL(strstr(list.entries[0].path, "/spool/%2E.%2Fn%C3%A4me/incoming/"));
    spool_list_finish(&list);
    CU_ASSERT_EQUAL_FATAL(spool_scan(spool, "../näme", &list, &error), 0);
    CU_ASSERT_EQUAL(list.count, 1);
    spool_list_finish(&list);
    CU_ASSERT_EQUAL_FATAL(spool_scan(spool, "none", &list, &error), 0);
    CU_ASSERT_EQUAL(list.count, 0);
    spool_list_finish(&list);
    CU_ASSERT_EQUAL_FATAL(spool_scan("/nowhere/at/all", NULL, &list, &error), 0);
    CU_ASSERT_EQUAL(list.count, 0);
    end();
}

static void test_links(void)
{
    char path[200], target[200];
    struct spool_list list;
    struct error error = { 0 };
    struct report *report = NULL;
    int folder;

    begin();
    put(1, SPOOL_PENDING, "a", 0);
    snprintf(target, sizeof(target), "%s/shop/pending/%s", spool, id_of(1));
    snprintf(path, sizeof(path), "%s/shop/delivered/%s", spool, id_of(2));
    CU_ASSERT_EQUAL(symlink(target, path), 0);
    CU_ASSERT_EQUAL(spool_lock(application, SPOOL_DELIVERED, id_of(2), &error), CAIRN_ESYSTEM);
    CU_ASSERT_EQUAL_FATAL(spool_scan(spool, NULL, &list, &error), 0);
    CU_ASSERT_EQUAL(list.count, 1); /* the link is none */
    spool_list_finish(&list);
    folder = spool_create(application, id_of(3), &error);
    CU_ASSERT_FATAL(folder >= 0);
    CU_ASSERT_EQUAL(symlinkat("/etc/passwd", folder, SPOOL_REPORT), 0);
    CU_ASSERT(spool_load(folder, &report, &error) < 0);
    close(folder);
    snprintf(path, sizeof(path), "%s/other", spool);
    CU_ASSERT_EQUAL(symlink("/tmp", path), 0);
    CU_ASSERT_EQUAL(spool_open(spool, "other", &error), CAIRN_ESYSTEM);
    end();
}

static void test_permissions(void)
{
    char path[200];
    struct error error = { 0 };

    begin();
    snprintf(path, sizeof(path), "%s/shop", spool);
    CU_ASSERT_EQUAL(chmod(path, 0770), 0);
    CU_ASSERT_EQUAL(spool_open(spool, "shop", &error), CAIRN_EPERM);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "0770"));
    CU_ASSERT_EQUAL(chmod(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/shop/pending", spool);
    CU_ASSERT_EQUAL(chmod(path, 0707), 0);
    CU_ASSERT_EQUAL(spool_open(spool, "shop", &error), CAIRN_EPERM);
    CU_ASSERT_EQUAL(chmod(path, 0700), 0);
    CU_ASSERT_EQUAL(chmod(spool, 0777), 0);
    CU_ASSERT_EQUAL(spool_open(spool, "shop", &error), CAIRN_EPERM);
    CU_ASSERT_EQUAL(chmod(spool, 0755), 0);
    if (geteuid() == 0) {
        snprintf(path, sizeof(path), "%s/shop", spool);
        CU_ASSERT_EQUAL(chown(path, 12345, 0), 0);
        CU_ASSERT_EQUAL(spool_open(spool, "shop", &error), CAIRN_EPERM);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "12345"));
    }
    CU_ASSERT_EQUAL(spool_open("relative/spool", "shop", &error), CAIRN_EINVAL);
    end();
}

static void test_find(void)
{
    struct spool_list list;
    struct spool_entry entry;
    struct error error = { 0 };

    begin();
    CU_ASSERT_EQUAL(spool_find(spool, NULL, "latest", &entry, &error), CAIRN_ENOENT);
    put(0x10, SPOOL_DELIVERED, "a", 0);
    put(0x11, SPOOL_PENDING, "a", 0);
    put(0x20, SPOOL_INCOMING, "a", 0);
    put(0x30, SPOOL_PENDING, "a", 0);
    CU_ASSERT_EQUAL(spool_set_aside(application, SPOOL_PENDING, id_of(0x30), "It is bad.", &error),
                    0);
    CU_ASSERT_EQUAL_FATAL(spool_scan(spool, NULL, &list, &error), 0);
    CU_ASSERT_EQUAL_FATAL(list.count, 4);
    CU_ASSERT_STRING_EQUAL(list.entries[0].id, id_of(0x30));
    CU_ASSERT_EQUAL(list.entries[0].state, SPOOL_QUARANTINE);
    CU_ASSERT_STRING_EQUAL(list.entries[3].id, id_of(0x10));
    CU_ASSERT_STRING_EQUAL(list.entries[3].application, "shop");
    CU_ASSERT_EQUAL(access(list.entries[3].path, F_OK), 0);
    spool_list_finish(&list);
    CU_ASSERT_EQUAL_FATAL(spool_find(spool, "shop", "latest", &entry, &error), 0);
    CU_ASSERT_STRING_EQUAL(entry.id, id_of(0x11)); /* not the one set aside, or being made */
    spool_entry_finish(&entry);
    CU_ASSERT_EQUAL_FATAL(spool_find(spool, NULL, "0193c1de-0011", &entry, &error), 0);
    CU_ASSERT_STRING_EQUAL(entry.id, id_of(0x11));
    CU_ASSERT_EQUAL(entry.state, SPOOL_PENDING);
    spool_entry_finish(&entry);
    CU_ASSERT_EQUAL(spool_find(spool, NULL, "0193c1de-001", &entry, &error), CAIRN_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "2 reports"));
    CU_ASSERT_EQUAL(spool_find(spool, NULL, "", &entry, &error), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(spool_find(spool, NULL, "0193c1de-9", &entry, &error), CAIRN_ENOENT);
    CU_ASSERT_EQUAL(spool_find(spool, "other", "latest", &entry, &error), CAIRN_ENOENT);
    end();
}

static void prune(uint64_t reports, uint64_t total_bytes, uint64_t free_bytes)
{
    struct spool_limits limits = { reports, total_bytes, free_bytes };
    struct error error = { 0 };

    CU_ASSERT_EQUAL(spool_prune(application, &limits, &error), 0);
}

/* Delivered: 0 a, 1 b, 2 a, 3 a. Pending: 4 c, 5 a, 6 c, 7 d. */
static void put_eight(void)
{
    static const char *const signatures[] = { "a", "b", "a", "a", "c", "a", "c", "d" };

    for (unsigned i = 0; i < 8; i++) {
        put(i, i < 4 ? SPOOL_DELIVERED : SPOOL_PENDING, signatures[i], 10000);
    }
}

static void test_prune_count(void)
{
    begin();
    put_eight();
    prune(8, 0, 0);
    CU_ASSERT_EQUAL(all_in(SPOOL_DELIVERED), 0x0f);
    prune(7, 0, 0); /* the oldest delivered duplicate */
    CU_ASSERT_EQUAL(all_in(SPOOL_DELIVERED), 0x0b);
    prune(5, 0, 0); /* the other one, then the oldest waiting duplicate */
    CU_ASSERT_EQUAL(all_in(SPOOL_DELIVERED), 0x03);
    CU_ASSERT_EQUAL(all_in(SPOOL_PENDING), 0xd0);
    CU_ASSERT_TRUE(drops_are("{\"limit\": 3}\n"));
    prune(4, 0, 0);
    CU_ASSERT_EQUAL(all_in(SPOOL_PENDING), 0x90);
    prune(2, 0, 0); /* only firsts are left: the delivered ones go */
    CU_ASSERT_EQUAL(all_in(SPOOL_DELIVERED), 0);
    CU_ASSERT_EQUAL(all_in(SPOOL_PENDING), 0x90);
    prune(1, 0, 0);
    CU_ASSERT_EQUAL(all_in(SPOOL_PENDING), 0x80); /* the newest stays, whatever the limit */
    prune(0, 1, 0);
    CU_ASSERT_EQUAL(all_in(SPOOL_PENDING), 0x80);
    CU_ASSERT_TRUE(drops_are("{\"limit\": 7}\n"));
    end();
}

static void test_prune_bytes(void)
{
    begin();
    put_eight();
    prune(0, 70000, 0); /* there are 8 times 10000 and a report.json */
    CU_ASSERT_EQUAL(all_in(SPOOL_DELIVERED), 0x03);
    CU_ASSERT_EQUAL(all_in(SPOOL_PENDING), 0xf0);
    end();
}

static void test_prune_disk(void)
{
    struct statvfs disk;

    begin();
    put_eight();
    CU_ASSERT_EQUAL(fstatvfs(application, &disk), 0);
    prune(0, 0, 1);
    CU_ASSERT_EQUAL(all_in(SPOOL_DELIVERED), 0x0f);
    prune(0, 0, UINT64_MAX); /* never met: all goes but the newest and what waits as the first */
    CU_ASSERT_EQUAL(all_in(SPOOL_DELIVERED), 0);
    CU_ASSERT_EQUAL(all_in(SPOOL_PENDING), 0x90);
    end();
}

static void test_prune_locked(void)
{
    char path[200];
    int held;

    begin();
    put_eight();
    held = spool_lock(application, SPOOL_DELIVERED, id_of(2), NULL);
    CU_ASSERT_FATAL(held >= 0);
    prune(7, 0, 0);
    CU_ASSERT_EQUAL(all_in(SPOOL_DELIVERED), 0x07);
    close(held);
    /* What an interrupted deletion left goes too. */
    snprintf(path, sizeof(path), "%s/shop/pending/.%s", spool, id_of(9));
    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    prune(7, 0, 0);
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    end();
}

static void test_prune_corrupt(void)
{
    char path[200];
    int fd;

    begin();
    put_eight();
    snprintf(path, sizeof(path), "%s/shop/delivered/%s/report.json", spool, id_of(3));
    fd = open(path, O_WRONLY | O_TRUNC);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, "{\"id\": 1", 8), 8);
    close(fd);
    prune(7, 0, 0);
    CU_ASSERT_EQUAL(all_in(SPOOL_QUARANTINE), 0x08); /* set aside, and so the limit is kept */
    CU_ASSERT_EQUAL(all_in(SPOOL_DELIVERED), 0x07);
    snprintf(path, sizeof(path), "%s/shop/quarantine/%s/set-aside.txt", spool, id_of(3));
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    end();
}

static void test_drops(void)
{
    struct error error = { 0 };
    int fd;

    begin();
    CU_ASSERT_EQUAL(spool_count_drop(application, "filter", &error), 0);
    CU_ASSERT_EQUAL(spool_count_drop(application, "limit", &error), 0);
    CU_ASSERT_EQUAL(spool_count_drop(application, "limit", &error), 0);
    CU_ASSERT_TRUE(drops_are("{\"filter\": 1, \"limit\": 2}\n"));
    CU_ASSERT_EQUAL(spool_count_drop(application, "\"}", &error), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(spool_count_drop(application, "", &error), CAIRN_EINVAL);
    fd = openat(application, "drops.json", O_WRONLY | O_TRUNC);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, "{\"limit\": -5, \"a b\": 1, \"storm\": 4}", 36), 36);
    close(fd);
    CU_ASSERT_EQUAL(spool_count_drop(application, "limit", &error), 0);
    CU_ASSERT_TRUE(drops_are("{\"storm\": 4, \"limit\": 1}\n"));
    end();
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "states, locks, modes", test_states },
        { "names of reports and applications", test_names },
        { "links are not followed", test_links },
        { "foreign owners and permissions are refused", test_permissions },
        { "scan, find by prefix and latest", test_find },
        { "quota by count", test_prune_count },
        { "quota by bytes", test_prune_bytes },
        { "quota by the disk's free space", test_prune_disk },
        { "locked reports and interrupted deletions", test_prune_locked },
        { "a report that was moved before it was locked", test_moved },
        { "corrupt reports are set aside", test_prune_corrupt },
        { "drops.json", test_drops },
        { NULL, NULL },
    };

    return tap_run("spool", tests);
}
