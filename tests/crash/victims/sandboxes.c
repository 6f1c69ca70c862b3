/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that gave up rights after their start: another user, another root, system calls. */
#include "tests/crash/victims/victim.h"

#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

static void drop_user(void)
{
    if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) != 0) {
        cannot("setresuid");
    }
}

static void change_root(const char *folder)
{
    if (chroot(folder) != 0 || chdir("/") != 0) {
        cannot("chroot");
    }
}

static void crash_as_nobody(const char *unused)
{
    (void)unused;
    drop_user();
    crash_here();
}

/* argument: an empty folder */
static void crash_in_chroot(const char *argument)
{
    change_root(argument);
    crash_here();
}

static void crash_in_both(const char *argument)
{
    change_root(argument);
    drop_user();
    crash_here();
}

static void refuse_calls(const int *numbers, unsigned count, unsigned answer)
{
    struct sock_filter instructions[16];
    struct sock_fprog program = { 0, instructions };
    unsigned short used = 0;

    instructions[used++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < count; i++) {
        instructions[used++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned)numbers[i], (unsigned char)(count - i), 0);
    }
    instructions[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    instructions[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer);
    program.len = used;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
        cannot("seccomp");
    }
}

/* argument: "ptrace", "open", "readv", "clone" or "all" */
static void crash_refused(const char *argument, unsigned answer)
{
    static const int numbers[] = { SYS_ptrace,           SYS_open,  SYS_openat, SYS_openat2,
                                   SYS_process_vm_readv, SYS_clone, SYS_clone3 };

    if (strcmp(argument, "ptrace") == 0) {
        refuse_calls(numbers, 1, answer);
    } else if (strcmp(argument, "open") == 0) {
        refuse_calls(numbers + 1, 3, answer);
    } else if (strcmp(argument, "readv") == 0) {
        refuse_calls(numbers + 4, 1, answer);
    } else if (strcmp(argument, "clone") == 0) {
        refuse_calls(numbers + 5, 2, answer);
    } else {
        refuse_calls(numbers, 7, answer);
    }
    crash_here();
}

static void crash_with_errors(const char *argument)
{
    crash_refused(argument, SECCOMP_RET_ERRNO | EPERM);
}

static void crash_with_kills(const char *argument)
{
    crash_refused(argument, SECCOMP_RET_KILL_PROCESS);
}

const struct kind sandbox_kinds[] = {
    { "nobody", crash_as_nobody },        { "chroot", crash_in_chroot },
    { "chroot-nobody", crash_in_both },   { "seccomp-eperm", crash_with_errors },
    { "seccomp-kill", crash_with_kills }, { NULL, NULL },
};
