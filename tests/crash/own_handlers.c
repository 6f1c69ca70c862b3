/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with handlers of its own, for tests/crash/own_handlers.sh; with EMBED it links libcairn
 * and starts it after it has installed them, and becomes OWN_USER, else it knows nothing of Cairn.
 *
 *     own_handlers HOW [MENDED [ROUNDS [fork]]]
 *
 * First it recovers ROUNDS times from MENDED (mend | threads | move | jump | sent | raise | trap |
 * call | sites: call, from a place of its own each time), then it crashes in crash_here(), and its
 * handler does HOW (raise | reset | return | abort | exit | _exit | fault | exec | become | hang),
 * or makes the thread call what does (call-exit: a bare system call | call-abort | call-leave:
 * exit()), or it calls abort() (abort-returned); with HOW none it ends with status 0, with bare it
 * leaves by a bare exit_group(3). With "fork" a child does all that, and its parent ends as it did.
 * OWN_MEMORY: it has so many MiB of memory.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef EMBED
#include <cairn/cairn.h>
#endif

static const char *how, *mended;
static char **arguments;
static char *page;
static __thread sigjmp_buf back;
static volatile int *volatile nowhere = (volatile int *)16;

static void say(const char *text)
{
    ssize_t ignored = write(STDOUT_FILENO, text, strlen(text));

    (void)ignored;
}

__attribute__((noinline)) static void crash_here(void)
{
    *nowhere = 1;
}

__attribute__((noinline)) static void fault_in_handler(void)
{
    *(volatile int *)32 = 1;
}

/* As Go and Mono do: the thread goes on as if the instruction that struck had called `function`. */
static void make_call(ucontext_t *context, void (*function)(void))
{
    greg_t *registers = context->uc_mcontext.gregs;
    greg_t *sp = (greg_t *)((registers[REG_RSP] - 128) & ~15ll) - 1;

    *sp = registers[REG_RIP];
    registers[REG_RSP] = (greg_t)(uintptr_t)sp;
    registers[REG_RIP] = (greg_t)(uintptr_t)function;
}

static void called_to_end(void)
{
    if (strcmp(how, "call-exit") == 0) {
        syscall(SYS_exit_group, 3);
    } else if (strcmp(how, "call-abort") == 0) {
        abort();
    }
    exit(3);
}

static void called_to_mend(void)
{
    siglongjmp(back, 1);
}

static void end_by_signal(int number)
{
    if (strcmp(how, "raise") == 0) {
        signal(number, SIG_DFL);
        raise(number);
    } else if (strcmp(how, "reset") == 0) {
        signal(number, SIG_DFL);
    } else if (strcmp(how, "abort") == 0) {
        abort();
    } else if (strcmp(how, "fault") == 0) {
        signal(number, SIG_DFL);
        fault_in_handler();
    }
}

static void end_without_signal(void)
{
    if (strcmp(how, "exit") == 0) {
        exit(3);
    } else if (strcmp(how, "_exit") == 0) {
        _exit(3);
    } else if (strcmp(how, "exec") == 0) {
        arguments[1] = "none";
        arguments[2] = NULL;
        execv("/proc/self/exe", arguments);
    } else if (strcmp(how, "become") == 0) {
        execl("/bin/sleep", "sleep", "3", (char *)NULL);
    } else if (strcmp(how, "hang") == 0) {
        for (;;) {
            pause();
        }
    }
}

static void end_somehow(int number, ucontext_t *context)
{
    if (strncmp(how, "call-", 5) == 0) {
        make_call(context, called_to_end);
        return;
    }
    end_by_signal(number);
    end_without_signal();
}

static void recover(uintptr_t address, ucontext_t *context)
{
    if (strcmp(mended, "mend") == 0 || strcmp(mended, "threads") == 0) {
        mprotect((void *)(address & ~(uintptr_t)4095), 4096, PROT_READ | PROT_WRITE);
    } else if (strcmp(mended, "move") == 0) {
        context->uc_mcontext.gregs[REG_RIP] = (greg_t)context->uc_mcontext.gregs[REG_R12];
    } else if (strcmp(mended, "jump") == 0) {
        siglongjmp(back, 1);
    } else if (strcmp(mended, "call") == 0 || strcmp(mended, "sites") == 0) {
        make_call(context, called_to_mend);
    }
}

static void handler(int number, siginfo_t *info, void *context)
{
    uintptr_t address = (uintptr_t)info->si_addr;

    if (info->si_code <= 0 || number == SIGTRAP) {
        return;
    }
    if (address > 4096) {
        recover(address, context);
        return;
    }
    say("handler\n");
    end_somehow(number, context);
}

/* A fault that a handler goes on behind of. */
static void fault_and_move(void)
{
    __asm__ volatile("leaq 1f(%%rip), %%r12\n"
                     "movl $1, (%0)\n"
                     "1:\n"
                     :
                     : "r"(page)
                     : "r12", "memory");
}

/* movb $1, (%rdi); ret: at another address each time. */
static void fault_at_site(char *at, unsigned site)
{
    static const unsigned char code[] = { 0xc6, 0x07, 0x01, 0xc3 };
    static unsigned char *codes;

    if (codes == NULL) {
        codes = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0);
        for (size_t i = 0; i < 4096; i += sizeof(code)) {
            memcpy(codes + i, code, sizeof(code));
        }
    }
    ((void (*)(char *))(uintptr_t)(codes + site % (4096 / sizeof(code)) * sizeof(code)))(at);
}

static void fault_at(char *at)
{
    static unsigned site;

    if (strcmp(mended, "mend") == 0 || strcmp(mended, "threads") == 0) {
        mprotect(at, 4096, PROT_NONE);
        *(volatile char *)at = 1;
    } else if (strcmp(mended, "move") == 0) {
        fault_and_move();
    } else if (strcmp(mended, "jump") == 0 || strcmp(mended, "call") == 0) {
        if (sigsetjmp(back, 1) == 0) {
            *(volatile char *)at = 1;
        }
    } else if (strcmp(mended, "sites") == 0) {
        if (sigsetjmp(back, 1) == 0) {
            fault_at_site(at, site++);
        }
    }
}

/* Only one of them does anything. */
static void strike_once(char *at)
{
    fault_at(at);
    if (strcmp(mended, "sent") == 0) {
        kill(getpid(), SIGSEGV);
    } else if (strcmp(mended, "raise") == 0) {
        raise(SIGABRT);
    } else if (strcmp(mended, "trap") == 0) {
        __asm__ volatile("int3");
    }
}

static long rounds = 1;

static void *strike_often(void *unused)
{
    char *own = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

#ifdef EMBED
    cairn_thread_start();
#endif
    for (long i = 0; i < rounds; i++) {
        strike_once(own);
    }
    return unused;
}

static void fault_in_threads(void)
{
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, strike_often, NULL);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
}

static int start(void)
{
#ifdef EMBED
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[1024] = "";

    options.config_file = getenv("OWN_CONFIG");
    if (cairn_start(&options, NULL, error, sizeof(error)) != 0) {
        fprintf(stderr, "%s\n", error);
        return -1;
    }
    if (getenv("OWN_USER") != NULL) {
        unsigned id = (unsigned)strtoul(getenv("OWN_USER"), NULL, 10);

        return setresgid(id, id, id) == 0 && setresuid(id, id, id) == 0 ? 0 : -1;
    }
#endif
    return 0;
}

/* Memory that takes the kernel long to free: so long there is a process without any. */
static void take_memory(const char *mebibytes)
{
    size_t bytes = mebibytes != NULL ? strtoul(mebibytes, NULL, 10) << 20 : 0;
    char *memory;

    if (bytes == 0) {
        return;
    }
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE) != 0) {
        exit(2);
    }
    memset(memory, 1, bytes);
}

/* The child returns, its parent does not. */
static void go_on_in_child(void)
{
    int status;

    if (fork() != 0) {
        wait(&status);
        _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
}

static void recover_often(void)
{
    if (strcmp(mended, "threads") == 0) {
        fault_in_threads();
    } else if (strcmp(mended, "none") != 0) {
        for (long i = 0; i < rounds; i++) {
            strike_once(page);
        }
    }
}

static void end_at_last(void)
{
    if (strcmp(how, "abort-returned") == 0) {
        abort(); /* whose handler returns */
    } else if (strcmp(how, "bare") == 0) {
        syscall(SYS_exit_group, 3);
    } else if (strcmp(how, "none") != 0) {
        crash_here();
    }
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

    arguments = argv;
    how = argc > 1 ? argv[1] : "none";
    mended = argc > 2 ? argv[2] : "none";
    rounds = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    take_memory(getenv("OWN_MEMORY"));
    if (start() != 0) {
        return 2;
    }
    if (argc > 4) {
        go_on_in_child();
    }
    recover_often();
    end_at_last();
    say("end\n");
    return 0;
}
