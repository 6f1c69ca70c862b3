/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures of processes that mean harm, from outside as the monitor makes them: registered memory
 * at the end of the address space, more modules than are kept and memory that is left where it is.
 */
#include "core/capture/capture.h"
#include "tests/unit/tap.h"

#include <CUnit/CUnit.h>
#include <elf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAST_PAGE 0xfffffffffffff000ull
#define LOW       0x10000ull /* where any program may map memory, sysctl vm.mmap_min_addr */
#define LOW_BYTES ((size_t)8 << 20)
#define MODULES   2100 /* of which readers take 2048 */

/* A process that has done `prepare` and waits to be killed. */
static pid_t start_victim(int (*prepare)(void))
{
    int ready[2];
    char byte = 0;
    pid_t pid;

    CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (prepare() != 0 || write(ready[1], &byte, 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    close(ready[1]);
    CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void end_victim(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static int map_low(void)
{
    void *memory = mmap((void *)(uintptr_t)LOW, LOW_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (memory == MAP_FAILED) {
        return -1;
    }
    memset(memory, 'x', LOW_BYTES);
    return 0;
}

/* Behind its last page the addresses begin anew: nothing there was asked for. */
static void test_last_page(void)
{
    const struct capture_region regions[] = { { LAST_PAGE, 0xfff }, { LAST_PAGE - 4096, 4097 } };
    struct capture_request request = {
        .stop_timeout_ns = 1000000000ull,
        .max_bytes = 1 << 20,
        .regions = regions,
        .region_count = 2,
    };
    struct capture capture;

    request.pid = start_victim(map_low);
    CU_ASSERT_EQUAL_FATAL(capture_begin(&capture, &request), 0);
    for (size_t i = 0; i < capture.block_count; i++) {
        CU_ASSERT(capture.blocks[i].start >= LOW + LOW_BYTES);
        CU_ASSERT(capture.blocks[i].bytes <= 1 << 20);
    }
    CU_ASSERT_EQUAL(capture.memory_fd, -1);
    capture_finish(&capture);
    end_victim(request.pid);
}

/* Many modules, each the same small file once more. */
static int map_modules(void)
{
    const Elf64_Ehdr header = {
        .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64 },
        .e_type = ET_DYN,
        .e_phentsize = sizeof(Elf64_Phdr),
    };
    int fd = memfd_create("module", 0);

    if (fd < 0 || write(fd, &header, sizeof(header)) != (ssize_t)sizeof(header)) {
        return -1;
    }
    for (unsigned i = 0; i < MODULES; i++) {
        if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED) {
            return -1;
        }
    }
    return 0;
}

/* What stacks refer to is looked for in memory that is there: most of a full capture is not yet. */
static void test_many_modules_and_all_memory(void)
{
    struct capture_request request = { .stop_timeout_ns = 1000000000ull, .memory = CAPTURE_FULL };
    struct capture capture;

    request.pid = start_victim(map_modules);
    CU_ASSERT_EQUAL_FATAL(capture_begin(&capture, &request), 0);
    CU_ASSERT(capture.left_bytes > 0);
    CU_ASSERT(capture.module_count > 1000);
    CU_ASSERT(capture.module_count < MODULES);
    capture_finish(&capture);
    end_victim(request.pid);
}

static const struct tap_test tests[] = {
    { "registered memory at the end of the address space", test_last_page },
    { "more modules than are kept, and all memory", test_many_modules_and_all_memory },
    { NULL, NULL },
};

int main(void)
{
    return tap_run("hostile captures", tests);
}
