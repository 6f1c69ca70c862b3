/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit that Cairn is measured against: the least that any capture from outside has to do, in
 * the plainest way. Seize all threads, wait for all, read registers, the same files of /proc, the
 * first page of each module, the stacks in batches; let go; write it all with one call. It makes no
 * minidump, survives nothing and explains nothing. Started by the driver beside the victim:
 *
 *     limit FOLDER        writes FOLDER/limit.dmp
 */
#include "bench/shared.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#define VECTOR_BYTES  832 /* XSAVE with the upper halves of YMM, as Cairn reads it */
#define STACK_BYTES   ((size_t)256 << 10) /* of one thread, at most */
#define HEADER_BYTES  4096
#define RED_ZONE      128
#define MOST_THREADS  32768
#define MOST_MAPPINGS 65536
#define BATCH         1024 /* IOV_MAX: pieces per process_vm_readv() */
#define FILES         9

struct thread {
    pid_t tid;
    struct user_regs_struct general;
    unsigned char vectors[VECTOR_BYTES];
    char name[16];
};

struct mapping {
    uint64_t start, end;
    int writable, header;
};

struct text {
    char *data;
    size_t bytes, capacity;
};

static struct bench *bench;
static struct thread *threads;
static size_t thread_count;
static struct mapping *mappings;
static size_t mapping_count;
static struct text files[FILES];
static struct iovec *local, *remote;
static size_t piece_count, memory_bytes;
static unsigned char *memory;

static void *room(size_t bytes, int populate)
{
    void *piece = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | populate, -1, 0);

    if (piece == MAP_FAILED) {
        perror("limit: mmap");
        exit(71);
    }
    return piece;
}

/* Threads come in the same order again. */
static int is_known(pid_t tid, size_t position)
{
    if (position < thread_count && threads[position].tid == tid) {
        return 1;
    }
    for (size_t i = 0; i < thread_count; i++) {
        if (threads[i].tid == tid) {
            return 1;
        }
    }
    return 0;
}

/* How many threads were new. */
static size_t seize_pass(DIR *folder)
{
    const struct dirent *entry;
    size_t before = thread_count, position = 0;

    rewinddir(folder);
    while ((entry = readdir(folder)) != NULL && thread_count < MOST_THREADS) {
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (tid <= 0) {
            continue;
        }
        if ((before == 0 || !is_known(tid, position)) && ptrace(PTRACE_SEIZE, tid, 0, 0) == 0) {
            ptrace(PTRACE_INTERRUPT, tid, 0, 0);
            threads[thread_count++].tid = tid;
        }
        position++;
    }
    return thread_count - before;
}

static void stop_all(void)
{
    char path[64];
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/task", bench->pid);
    folder = opendir(path);
    if (folder == NULL) {
        perror(path);
        exit(71);
    }
    for (size_t waited = 0; seize_pass(folder) > 0;) {
        bench->seized_ns = bench->seized_ns != 0 ? bench->seized_ns : bench_now();
        for (; waited < thread_count; waited++) {
            waitpid(threads[waited].tid, NULL, __WALL);
        }
    }
    closedir(folder);
}

static void read_registers(void)
{
    for (size_t i = 0; i < thread_count; i++) {
        struct iovec general = { &threads[i].general, sizeof(threads[i].general) };
        struct iovec vectors = { threads[i].vectors, VECTOR_BYTES };

        ptrace(PTRACE_GETREGSET, threads[i].tid, (void *)NT_PRSTATUS, &general);
        ptrace(PTRACE_GETREGSET, threads[i].tid, (void *)NT_X86_XSTATE, &vectors);
    }
}

static void read_text(const char *path, struct text *text)
{
    int fd = open(path, O_RDONLY);
    ssize_t got = 1;

    while (fd >= 0 && got > 0 && text->bytes < text->capacity) {
        got = read(fd, text->data + text->bytes, text->capacity - text->bytes);
        text->bytes += got > 0 ? (size_t)got : 0;
    }
    close(fd);
}

static void read_files(void)
{
    static const char *const names[FILES] = { "maps",   "auxv", "status", "stat", "limits",
                                              "cgroup", "cwd",  "exe",    "root" };
    char path[64];

    for (size_t i = 0; i < FILES; i++) {
        files[i].capacity = i == 0 ? (size_t)64 << 20 : 16384;
        files[i].data = room(files[i].capacity, 0);
        snprintf(path, sizeof(path), "/proc/%d/%s", bench->pid, names[i]);
        if (i < 6) {
            read_text(path, &files[i]);
        } else {
            ssize_t bytes = readlink(path, files[i].data, files[i].capacity);

            files[i].bytes = bytes > 0 ? (size_t)bytes : 0;
        }
    }
    for (size_t i = 0; i < thread_count; i++) {
        struct text name = { threads[i].name, 0, sizeof(threads[i].name) };

        snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", bench->pid, threads[i].tid);
        read_text(path, &name);
    }
}

/* "55d0c5a8e000-55d0c5a8f000 r--p 00000000 08:01 131 /path" */
static void parse_mappings(void)
{
    char *at = files[0].data, *end = at + files[0].bytes;

    while (at < end && mapping_count < MOST_MAPPINGS) {
        struct mapping *mapping = &mappings[mapping_count++];
        char *line_end = memchr(at, '\n', (size_t)(end - at));
        uint64_t offset;

        mapping->start = strtoul(at, &at, 16);
        mapping->end = strtoul(at + 1, &at, 16);
        mapping->writable = at[2] == 'w';
        offset = strtoul(at + 6, &at, 16);
        strtoul(at + 1, &at, 16);
        strtoul(at + 1, &at, 16);
        mapping->header = offset == 0 && strtoul(at + 1, NULL, 10) != 0;
        if (line_end == NULL) {
            return;
        }
        at = line_end + 1;
    }
}

static const struct mapping *find_mapping(uint64_t address)
{
    size_t low = 0, high = mapping_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (mappings[middle].end <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < mapping_count ? &mappings[low] : NULL;
}

static void add_piece(uint64_t start, size_t bytes)
{
    remote[piece_count] = (struct iovec){ (void *)start, bytes };
    local[piece_count] = (struct iovec){ NULL, bytes };
    piece_count++;
    memory_bytes += bytes;
}

static void choose_memory(void)
{
    for (size_t i = 0; i < mapping_count; i++) {
        if (mappings[i].header) {
            add_piece(mappings[i].start, HEADER_BYTES);
        }
    }
    for (size_t i = 0; i < thread_count; i++) {
        uint64_t start = (threads[i].general.rsp - RED_ZONE) & ~15ul;
        const struct mapping *mapping = find_mapping(start);

        if (mapping != NULL && mapping->writable && mapping->start <= start) {
            size_t bytes = mapping->end - start;

            add_piece(start, bytes < STACK_BYTES ? bytes : STACK_BYTES);
        }
    }
}

static void read_memory(void)
{
    unsigned char *to;

    memory = room(memory_bytes, MAP_POPULATE);
    bench->room_ns = bench_now();
    to = memory;
    for (size_t i = 0; i < piece_count; i++) {
        local[i].iov_base = to;
        to += local[i].iov_len;
    }
    for (size_t i = 0; i < piece_count; i += BATCH) {
        size_t count = piece_count - i < BATCH ? piece_count - i : BATCH;

        if (process_vm_readv(bench->pid, local + i, count, remote + i, count, 0) < 0) {
            perror("limit: process_vm_readv");
        }
    }
}

static void release(void)
{
    for (size_t i = 0; i < thread_count; i++) {
        ptrace(PTRACE_DETACH, threads[i].tid, 0, 0);
    }
    bench_set(&bench->released);
}

static void write_all(const char *folder)
{
    struct iovec parts[FILES + 3];
    char path[4096], final[4096];
    size_t count = 0;
    int fd;

    snprintf(path, sizeof(path), "%s/limit.tmp", folder);
    snprintf(final, sizeof(final), "%s/limit.dmp", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    parts[count++] = (struct iovec){ threads, thread_count * sizeof(*threads) };
    for (size_t i = 0; i < FILES; i++) {
        parts[count++] = (struct iovec){ files[i].data, files[i].bytes };
    }
    parts[count++] = (struct iovec){ remote, piece_count * sizeof(*remote) };
    parts[count++] = (struct iovec){ memory, memory_bytes };
    if (fd < 0 || writev(fd, parts, (int)count) < (ssize_t)memory_bytes ||
        rename(path, final) != 0) {
        perror("limit: write");
        exit(73);
    }
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: limit FOLDER, started by the driver\n");
        return 64;
    }
    bench = bench_map();
    threads = room(MOST_THREADS * sizeof(*threads), 0);
    mappings = room(MOST_MAPPINGS * sizeof(*mappings), 0);
    local = room((MOST_THREADS + MOST_MAPPINGS) * sizeof(*local), 0);
    remote = room((MOST_THREADS + MOST_MAPPINGS) * sizeof(*remote), 0);
    bench_set(&bench->limit_ready);
    if (!bench_wait(&bench->announced, 300)) {
        return 75;
    }
    bench->woken_ns = bench_now();
    stop_all();
    bench->stopped_ns = bench_now();
    read_registers();
    bench->registers_ns = bench_now();
    read_files();
    bench->files_ns = bench_now();
    parse_mappings();
    choose_memory();
    read_memory();
    bench->read_ns = bench_now();
    release();
    bench->released_ns = bench_now();
    write_all(argv[1]);
    bench->written_ns = bench_now();
    return 0;
}
