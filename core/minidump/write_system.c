/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minidump's streams about the machine and the process as a whole: system and miscellaneous
 * information, processors, distribution. Runs in the monitor and in the clone of a crashed program,
 * after the process was released; imports nothing.
 */
#include "core/minidump/write_parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#define PLATFORM_LINUX     0x8201u
#define MISC_PROCESS_ID    1u
#define MISC_PROCESS_TIMES 2u
#define FIRST_BYTES        ((size_t)16 << 10)
#define MAX_BYTES          ((size_t)1 << 20)
#define TICKS_PER_SECOND   100u

/* Fields of /proc/PID/stat, counted from 1. */
#define FIELD_STATE       3
#define FIELD_USER_TIME   14
#define FIELD_KERNEL_TIME 15
#define FIELD_START_TIME  22

/* What an open file has, cut off at a megabyte; NULL if nothing can be read. */
static const char *read_file(struct arena *arena, int fd, size_t *ret_bytes)
{
    size_t size = FIRST_BYTES, used = 0;
    char *content = arena_alloc(arena, size);
    long bytes = 1;

    while (content != NULL && bytes > 0) {
        bytes = sys_read(fd, content + used, size - used);
        used += bytes > 0 ? (size_t)bytes : 0;
        if (used == size) {
            char *larger = size < MAX_BYTES ? arena_resize(arena, content, size, size * 2) : NULL;

            if (larger == NULL) {
                break;
            }
            content = larger;
            size *= 2;
        }
    }
    *ret_bytes = used;
    return used > 0 ? content : NULL;
}

/* The same of a file of the system. */
static const char *read_path(const struct write *write, const char *path, size_t *ret_bytes)
{
    const char *content = NULL;
    int fd = -EPERM;

    *ret_bytes = 0;
    if (write->capture->request.care == CAPTURE_FREELY) {
        fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    }
    if (fd >= 0) {
        content = read_file(write->arena, fd, ret_bytes);
        sys_close(fd);
    }
    return content;
}

static uint8_t count_processors(const char *text, size_t bytes)
{
    static const char key[] = "processor";
    const size_t length = sizeof(key) - 1;
    unsigned count = 0;

    for (size_t i = 0; i + length < bytes; i++) {
        count += (i == 0 || text[i - 1] == '\n') && capture_compare(text + i, key, length) == 0;
    }
    return count < UINT8_MAX ? (uint8_t)count : UINT8_MAX;
}

/* "6.1.0-13-amd64" → 6, 1, 0 */
static void parse_release(const char *release, struct layout_system *system)
{
    const char *end = release + capture_length(release);
    uint64_t parts[3] = { 0 };

    for (unsigned i = 0; i < 3 && capture_parse_decimal(&release, end, &parts[i]); i++) {
        if (*release++ != '.') {
            break;
        }
    }
    system->major = (uint32_t)parts[0];
    system->minor = (uint32_t)parts[1];
    system->build = (uint32_t)parts[2];
}

static void write_information(struct write *write, uint8_t processors)
{
    struct layout_system system = { .processor_count = processors, .platform = PLATFORM_LINUX };
    struct new_utsname name = { 0 };
    struct arch_cpu cpu;
    char text[5 * sizeof(name.release)];
    size_t length;

    arch_describe_cpu(&cpu);
    system.architecture = cpu.architecture;
    system.level = cpu.level;
    system.revision = cpu.revision;
    capture_copy(system.cpu, cpu.information, sizeof(system.cpu));
    if (write->capture->request.care != CAPTURE_BY_READING) {
        sys_uname(&name);
    }
    parse_release(name.release, &system);
    length = capture_format(text, sizeof(text), "%s %s %s %s", name.sysname, name.release,
                            name.version, name.machine);
    system.csd_rva = write_string(write, text, length);
    write_stream(write, MINIDUMP_STREAM_SYSTEM_INFO, write_copy(write, &system, sizeof(system)),
                 sizeof(system));
}

/* A number of /proc/PID/stat, 0 if it is not there. */
static uint64_t stat_field(const struct capture_file *file, unsigned wanted)
{
    const char *at = file->content + file->bytes, *end = at;
    uint64_t value = 0;

    while (at > file->content && at[-1] != ')') { /* the name before it may hold anything */
        at--;
    }
    for (unsigned field = FIELD_STATE - 1; at < end && field < wanted; at++) {
        field += *at == ' ';
    }
    return capture_parse_decimal(&at, end, &value) ? value : 0;
}

static void write_miscellaneous(struct write *write)
{
    const struct capture_request *request = &write->capture->request;
    const struct capture_file *stat = capture_file(write->capture, "stat");
    struct layout_miscellaneous info = { .bytes = sizeof(info), .flags = MISC_PROCESS_ID };

    info.process_id = (uint32_t)(request->copied_pid != 0 ? request->copied_pid : request->pid);
    if (stat != NULL) {
        uint64_t booted = sys_now(CLOCK_REALTIME) - sys_now(CLOCK_BOOTTIME);

        info.flags |= MISC_PROCESS_TIMES;
        info.create_time = (uint32_t)(booted / SYS_NANOSECONDS +
                                      stat_field(stat, FIELD_START_TIME) / TICKS_PER_SECOND);
        info.user_time = (uint32_t)(stat_field(stat, FIELD_USER_TIME) / TICKS_PER_SECOND);
        info.kernel_time = (uint32_t)(stat_field(stat, FIELD_KERNEL_TIME) / TICKS_PER_SECOND);
    }
    write_stream(write, MINIDUMP_STREAM_MISC_INFO, write_copy(write, &info, sizeof(info)),
                 sizeof(info));
}

static void write_distribution(struct write *write)
{
    static const char *const paths[] = { "/etc/lsb-release", "/etc/os-release",
                                         "/usr/lib/os-release" };

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        size_t bytes;
        const char *content = read_path(write, paths[i], &bytes);

        if (content != NULL) {
            write_stream(write, MINIDUMP_STREAM_LINUX_LSB_RELEASE,
                         write_copy(write, content, bytes), bytes);
            return;
        }
    }
}

void write_system(struct write *write)
{
    size_t bytes = write->extra != NULL ? write->extra->processors_bytes : 0;
    const char *processors =
        bytes != 0 ? write->extra->processors : read_path(write, "/proc/cpuinfo", &bytes);

    write_information(write, count_processors(processors, processors != NULL ? bytes : 0));
    write_miscellaneous(write);
    if (processors != NULL) {
        write_stream(write, MINIDUMP_STREAM_LINUX_CPU_INFO, write_copy(write, processors, bytes),
                     bytes);
    }
    write_distribution(write);
}
