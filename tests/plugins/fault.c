/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin of each kind (KIND) that contributes something and goes wrong in one way, in one of its
 * calls, as its options say. With `fault: none` it is a witness: it complains when it finds its
 * process other than a step's has to be. See isolation.sh. In a step's process.
 */
#include <cairn/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CAPABILITIES
#define CAPABILITIES 0
#endif

enum fault {
    NONE,
    CRASH,
    ABORT,
    EXIT_0,
    EXIT_3,
    HANG,
    DESCRIPTORS,
    MEMORY,
    FLOOD,
    OVERFLOW,
    LINGER,
    WANDER,
    HEAP,
    NONSENSE,
    GARBAGE,
    CHATTER,
    CLOSE,
    DEAF,
    NETWORK,
    PROGRAM,
    OTHERS,
};
static const char *const faults[] = {
    "none",  "crash",    "abort",   "exit-0",  "exit-3", "hang",     "descriptors", "memory",
    "flood", "overflow", "linger",  "wander",  "heap",   "nonsense", "garbage",     "chatter",
    "close", "deaf",     "network", "program", "others", NULL,
};

enum call { CHECK, CREATE, CALL, DESTROY };
static const char *const calls[] = { "check", "create", "call", "destroy", NULL };

struct config {
    int32_t fault, call;
};

static const struct cairn_option options[] = {
    { .name = "fault",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config, fault),
      .default_text = "none",
      .choices = faults,
      .help = "What goes wrong." },
    { .name = "call",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config, call),
      .default_text = "call",
      .choices = calls,
      .help = "In which call." },
    { .name = NULL },
};

struct context {
    const struct cairn_host *host;
    const struct config *config;
};

/* ---- The faults ---- */

static void hang(void)
{
    while (1) {
        pause();
    }
}

static void take_descriptors(void)
{
    for (int i = 0; i < 100000 && open("/dev/null", O_RDONLY) >= 0; i++) {
    }
}

static void take_memory(void)
{
    while (1) {
        volatile char *memory = malloc(1 << 20);
        for (size_t i = 0; i < 1 << 20; i += 4096) {
            memory[i] = 1;
        }
    }
}

static void flood(void)
{
    static const char line[] =
        "more and more and more and more and more and more and more and more\n";

    while (write(STDOUT_FILENO, line, sizeof(line) - 1) != 0) {
    }
}

/* Beyond the instance's output limit, in a file of its own. */
static void overflow(void)
{
    static char block[65536];
    int file = memfd_create("overflow", 0);

    while (write(file, block, sizeof(block)) != 0) {
    }
}

static void linger(void)
{
    if (fork() == 0) {
        prctl(PR_SET_NAME, "cairn-linger");
        signal(SIGTERM, SIG_IGN);
        hang();
    }
}

static void wander(void)
{
    umask(0);
    if (chdir("/proc") == 0 && setenv("LD_PRELOAD", "/none", 1) == 0) {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
    }
}

/* Writes over what malloc() keeps before and behind a block; the compiler must not see through it.
 */
static void break_heap(void)
{
    char *volatile block = malloc(40);
    volatile char *start = block;

    for (int i = -8; i < 112; i++) {
        start[i] = 0x41;
    }
    free(block);
}

static void send_garbage(void)
{
    char bytes[4096];

    memset(bytes, 0xa5, sizeof(bytes));
    for (int fd = 3; fd < 16; fd++) {
        if (fcntl(fd, F_GETFL) >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) {
            (void)!write(fd, bytes, sizeof(bytes));
        }
    }
}

static void close_all(void)
{
    for (int fd = 0; fd < 1024; fd++) {
        close(fd);
    }
}

/* Deaf to everything that asks it to end, and it goes on for ever. */
static void be_deaf(void)
{
    for (int number = 1; number < 65; number++) {
        signal(number, SIG_IGN);
    }
    hang();
}

/* The network is refused when every kind of socket is but the local ones: the kernel, too, is
 * not to be asked by AF_NETLINK, or the host of a virtual machine by AF_VSOCK. */
static const char *network(void)
{
    static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET };
    bool refused = true;

    for (int i = 0; i < AF_MAX * 4 && refused; i++) {
        refused = i / 4 == AF_UNIX || (socket(i / 4, types[i % 4], 0) < 0 && errno == EACCES);
    }
    return refused ? "refused" : socket(AF_INET, SOCK_STREAM, 0) >= 0 ? "there" : strerror(errno);
}

static const char *programs(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(67);
    }
    if (child < 0) {
        status = errno == EACCES ? 66 << 8 : 67 << 8;
    } else {
        waitpid(child, &status, 0);
    }
    return WEXITSTATUS(status) == 0 ? "there" : WEXITSTATUS(status) == 66 ? "refused" : "broken";
}

static void *be_thread(void *there)
{
    *(int *)there = 1;
    return NULL;
}

static bool can_trace(void)
{
    pid_t parent = getppid();

    if (syscall(SYS_ptrace, PTRACE_SEIZE, parent, NULL, NULL) != 0) {
        return false;
    }
    ptrace(PTRACE_INTERRUPT, parent, NULL, NULL);
    waitpid(parent, NULL, __WALL);
    ptrace(PTRACE_DETACH, parent, NULL, NULL);
    return true;
}

static bool can_read_memory(void)
{
    char byte = 0;
    struct iovec mine = { &byte, 1 }, theirs = { &byte, 1 };

    return syscall(SYS_process_vm_readv, getppid(), &mine, 1, &theirs, 1, 0) >= 0;
}

static bool can_take_descriptors(void)
{
    return syscall(SYS_pidfd_getfd, (int)syscall(SYS_pidfd_open, getppid(), 0), 0, 0) >= 0;
}

static bool can_signal(void)
{
    return kill(getppid(), 0) == 0;
}

static bool can_limit(void)
{
    return prlimit(getppid(), RLIMIT_NOFILE, NULL, &(struct rlimit){ 0, 0 }) == 0;
}

static bool can_exec(void)
{
    char *nothing[] = { NULL };

    return execve("/nonexistent", nothing, nothing) < 0 && errno == ENOENT;
}

static bool can_vfork(void)
{
    pid_t child = vfork();

    if (child == 0) {
        _exit(0);
    }
    return child > 0;
}

static bool can_clone3(void)
{
    return syscall(SYS_clone3, NULL, 0) < 0 && errno == EINVAL;
}

static bool can_io_uring(void)
{
    return syscall(SYS_io_uring_setup, 0, NULL) < 0 && errno == EFAULT;
}

static bool can_x32(void)
{
    return syscall(0x40000000 | SYS_getpid) >= 0;
}

/* The ways past its parent that are open; a thread has to be possible all the same. */
static void others(char *text, size_t size)
{
    static const struct {
        const char *name;
        bool (*is_open)(void);
    } ways[] = {
        { "ptrace", can_trace },
        { "memory", can_read_memory },
        { "descriptors", can_take_descriptors },
        { "signals", can_signal },
        { "limits", can_limit },
        { "exec", can_exec },
        { "vfork", can_vfork },
        { "clone3", can_clone3 },
        { "io_uring", can_io_uring },
        { "x32", can_x32 },
    };
    char open_ways[128] = "";
    size_t used = 0;
    pthread_t thread;
    int there = 0;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (ways[i].is_open()) {
            used +=
                (size_t)snprintf(open_ways + used, sizeof(open_ways) - used, " %s", ways[i].name);
        }
    }
    pthread_create(&thread, NULL, be_thread, &there);
    pthread_join(thread, NULL);
    snprintf(text, size, "ways out:%s; a thread is %s", open_ways[0] != '\0' ? open_ways : " none",
             there ? "there" : "refused");
}

/* What the plugin may do; false when that is not asked. */
static bool tell_rights(enum fault fault, char *text, size_t size)
{
    if (fault == NETWORK) {
        snprintf(text, size, "the network is %s, the machine is %s", network(),
                 socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? "there" : "refused");
    } else if (fault == PROGRAM) {
        snprintf(text, size, "other programs are %s", programs());
    } else if (fault == OTHERS) {
        others(text, size);
    }
    return fault == NETWORK || fault == PROGRAM || fault == OTHERS;
}

static void crash(void)
{
    volatile int *nowhere = NULL;

    *nowhere = 1;
}

static void exit_0(void)
{
    exit(0);
}

static void exit_3(void)
{
    exit(3);
}

static void chatter(void)
{
    puts("said on standard output");
    fputs("said on standard error\n", stderr);
}

/* What is the same in every call; returns what the call should. */
static int go_wrong(const struct cairn_host *host, enum fault fault)
{
    static void (*const acts[])(void) = {
        [CRASH] = crash,          [ABORT] = abort,     [EXIT_0] = exit_0,
        [EXIT_3] = exit_3,        [HANG] = hang,       [DESCRIPTORS] = take_descriptors,
        [MEMORY] = take_memory,   [FLOOD] = flood,     [OVERFLOW] = overflow,
        [LINGER] = linger,        [WANDER] = wander,   [HEAP] = break_heap,
        [GARBAGE] = send_garbage, [CHATTER] = chatter, [CLOSE] = close_all,
        [DEAF] = be_deaf,         [OTHERS] = NULL,
    };
    char rights[256];

    if (tell_rights(fault, rights, sizeof(rights))) {
        host->note(host, "%s", rights);
    } else if (acts[fault] != NULL) {
        acts[fault]();
    }
    return fault == NONSENSE ? 4711 : CAIRN_PLUGIN_OK;
}

/* ---- The witness ---- */

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static const char *find_trace(void)
{
    char folder[4096] = "";
    mode_t mask = umask(077);
    sigset_t blocked;

    sigprocmask(SIG_SETMASK, NULL, &blocked);
    return getcwd(folder, sizeof(folder)) == NULL || strcmp(folder, "/") != 0 ? "working folder"
           : mask != 077                                                      ? "umask"
           : getenv("LD_PRELOAD") != NULL                                     ? "environment"
           : sigismember(&blocked, SIGTERM) || signal(SIGTERM, SIG_DFL) != SIG_DFL ? "signals"
           : open_descriptors() > 7                                                ? "descriptors"
                                                                                   : NULL;
}

/* ---- The calls ---- */

static int at(const struct cairn_host *host, const struct config *config, enum call call)
{
    return (enum call)config->call == call ? go_wrong(host, (enum fault)config->fault)
                                           : CAIRN_PLUGIN_OK;
}

static int check(const struct cairn_host *host, const void *config)
{
    const char *trace = find_trace();

    return trace != NULL ? host->problem(host, "fault", "another plugin left a trace: %s", trace)
                         : at(host, config, CHECK);
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    struct context *context = malloc(sizeof(*context));

    if (context == NULL) {
        return CAIRN_PLUGIN_FAILED;
    }
    *context = (struct context){ host, config };
    *ret_context = context;
    return at(host, config, CREATE);
}

static void destroy(void *context_given)
{
    struct context context = *(struct context *)context_given;

    free(context_given);
    if (at(context.host, context.config, DESTROY) != CAIRN_PLUGIN_OK) {
        send_garbage(); /* it cannot return nonsense */
    }
}

#define CONTRIBUTE(context_)                                                                       \
    at(((struct context *)(context_))->host, ((struct context *)(context_))->config, CALL)
#define IS_NONSENSE(context_)                                                                      \
    (((struct context *)(context_))->config->call == (int)CALL &&                                  \
     ((struct context *)(context_))->config->fault == (int)NONSENSE)

#if KIND == 1
static int call(void *context, struct cairn_filter_args *args)
{
    args->host->note(args->host, "contributed");
    if (IS_NONSENSE(context)) {
        args->action = 4711;
        memset(args->reason, 'x', sizeof(args->reason));
        return CAIRN_PLUGIN_OK;
    }
    return CONTRIBUTE(context);
}
static const struct cairn_filter_ops ops = { sizeof(ops), 0, check, create, destroy, call };
#elif KIND == 2
static int call(void *context, struct cairn_annotator_args *args)
{
    args->host->set_string(args->host, args->host->instance(args->host), "contributed");
    return CONTRIBUTE(context);
}
static const struct cairn_annotator_ops ops = { sizeof(ops), 0, check, create, destroy, call };
#elif KIND == 3
static int call(void *context, struct cairn_writer_args *args)
{
    return write(args->fd, "contributed", 11) == 11 ? CONTRIBUTE(context) : CAIRN_PLUGIN_FAILED;
}
static const struct cairn_writer_ops ops = { sizeof(ops), 0,    check, create,
                                             destroy,     call, "txt", "text/plain" };
#elif KIND == 4
static int call(void *context, struct cairn_hook_args *args)
{
    args->host->set_string(args->host, args->host->instance(args->host), "contributed");
    return CONTRIBUTE(context);
}
static const struct cairn_hook_ops ops = { sizeof(ops), 0, check, create, destroy, call };
#else
static int call(void *context, struct cairn_transport_args *args)
{
    args->outcome = CAIRN_DELIVERED;
    /* What a transport notes is kept nowhere, the server's id is. */
    tell_rights(((struct context *)context)->config->fault, args->server_id,
                sizeof(args->server_id));
    if (IS_NONSENSE(context)) {
        args->outcome = 4711;
        memset(args->server_id, 'x', sizeof(args->server_id));
        memset(args->error, 'x', sizeof(args->error));
        return CAIRN_PLUGIN_OK;
    }
    return CONTRIBUTE(context);
}
static const struct cairn_transport_ops ops = { sizeof(ops), 0, check, create, destroy, call };
#endif

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(KIND),
    .capabilities = CAPABILITIES,
    .name = NAME,
    .version = "1.0",
    .summary = "Goes wrong.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};
