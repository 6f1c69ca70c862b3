/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing left: descriptors, address space, memory; and much of it: heap, modules. */
#include "tests/crash/victims/victim.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void crash_without_descriptors(const char *unused)
{
    const struct rlimit few = { 256, 256 };

    (void)unused;
    if (setrlimit(RLIMIT_NOFILE, &few) != 0) {
        cannot("setrlimit");
    }
    while (dup(0) >= 0) {
    }
    crash_here();
}

/* argument: the first descriptor to close */
static void crash_closed(const char *argument)
{
    for (int fd = (int)strtol(argument, NULL, 10); fd < 1024; fd++) {
        close(fd);
    }
    crash_here();
}

static void crash_without_address_space(const char *unused)
{
    const struct rlimit little = { 1 << 20, 1 << 20 };

    (void)unused;
    if (setrlimit(RLIMIT_AS, &little) != 0) {
        cannot("setrlimit");
    }
    if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) {
        say("there is address space left\n");
        _exit(CANNOT_STATUS);
    }
    crash_here();
}

static long read_number(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0) {
        cannot(path);
    }
    close(fd);
    return strtol(text, NULL, 10);
}

static void use_memory(size_t bytes)
{
    volatile char *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        cannot("mmap");
    }
    memset((char *)memory, 1, bytes);
}

/* argument: the folder of this process's memory cgroup, which Cairn's processes are in, too; fills
 * it up to its last MiB */
static void crash_without_memory(const char *argument)
{
    char usage[512], limit[512];
    long most;

    snprintf(usage, sizeof(usage), "%s/memory.usage_in_bytes", argument);
    snprintf(limit, sizeof(limit), "%s/memory.limit_in_bytes", argument);
    most = read_number(limit) - (1 << 20);
    while (read_number(usage) < most) {
        use_memory(65536);
    }
    crash_here();
}

/* The same, page by page, until the kernel has refused one: from here on each new page has to be
 * taken from somebody, or costs somebody's life. */
static void crash_at_memory_limit(const char *argument)
{
    char refused[512];
    long before;

    snprintf(refused, sizeof(refused), "%s/memory.failcnt", argument);
    before = read_number(refused);
    while (read_number(refused) == before) {
        use_memory(4096);
    }
    crash_here();
}

/* argument: how many bytes of it */
static void crash_with_heap(const char *argument)
{
    size_t bytes = strtoul(argument, NULL, 10);
    char *heap = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (heap == MAP_FAILED) {
        cannot("mmap");
    }
    for (size_t at = 0; at < bytes; at += 4096) {
        heap[at] = 1;
    }
    crash_here();
}

/* ---- modules ---- */

static int crash_in_module;

/* Called by the constructor of module.c. */
__attribute__((visibility("default"))) void module_loaded(void);
void module_loaded(void)
{
    if (crash_in_module) {
        crash_here();
    }
}

/* argument: the shared object whose constructor crashes */
static void crash_in_dlopen(const char *argument)
{
    crash_in_module = 1;
    if (dlopen(argument, RTLD_NOW) == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        _exit(CANNOT_STATUS);
    }
}

/* argument: the folder with module-0.so, module-1.so, … */
static void crash_with_modules(const char *argument)
{
    char path[512];

    for (unsigned i = 0;; i++) {
        snprintf(path, sizeof(path), "%s/module-%u.so", argument, i);
        if (access(path, R_OK) != 0) {
            break;
        }
        if (dlopen(path, RTLD_NOW) == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            _exit(CANNOT_STATUS);
        }
    }
    crash_here();
}

const struct kind limit_kinds[] = {
    { "no-descriptors", crash_without_descriptors },
    { "closed", crash_closed },
    { "no-address-space", crash_without_address_space },
    { "no-memory", crash_without_memory },
    { "no-memory-left", crash_at_memory_limit },
    { "heap-of", crash_with_heap },
    { "in-dlopen", crash_in_dlopen },
    { "modules", crash_with_modules },
    { NULL, NULL },
};
