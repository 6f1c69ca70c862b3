# SPDX-License-Identifier: Apache-2.0
"""The rows of the crash matrix: ways to crash, and what a whole report of each says."""

from dataclasses import dataclass, field

PRELOAD, EMBEDDED, LINKED = "preload", "embedded", "linked"
BOTH = (PRELOAD, EMBEDDED)
EACH = (PRELOAD, EMBEDDED, LINKED)

MAPERR = ("SIGSEGV", ("SEGV_MAPERR",))
SENT = ("SI_USER", "SI_TKILL")


@dataclass(frozen=True)
class Row:
    name: str
    kind: str                      # of the victim
    argument: str = ""             # {modules-N}, {module}, {empty}, {cgroup} are replaced
    signal: str = "SIGSEGV"
    codes: tuple = ("SEGV_MAPERR",)
    thread: str = "crasher"
    site: str = "crash_here"       # the function of the first frame; "" when there is none
    module: str = "victim"         # where that is: "victim", "libc.so.6", "" for nowhere
    through: str = ""              # a function that the walk passes
    walk: str = "main"             # and where it arrives; "" when the stack is lost
    message: str = ""              # a regular expression for crash.message
    modes: tuple = BOTH
    alone: tuple = ()              # modes in which the crash is documented to be left alone
    why_alone: str = ""
    death: tuple = ()              # modes in which no handler runs: reported as a death
    outcome: str = "report"        # or "log": no report, a clear line in cairn.log
    send: str = ""                 # a signal that is sent once the victim is ready
    setup: str = ""                # what the driver prepares: see matrix_run.py
    root: bool = False             # needs root
    lowest: int = 1                # the best tier that the design promises here
    full: bool = False             # too large for the usual run
    asked: bool = False            # only when it is named: what becomes of it is the kernel's choice
    short: tuple = ()              # modes that belong to the short form
    threads: int = 0               # how many threads the minidump must have, at least
    frames: int = 0                # how many frames the walk must have, at least
    kept: int = 0                  # how many of them the reserve of tiers 2 and 3 has room for
    lost: tuple = ()               # columns that tiers 2 and 3 cannot keep, as the design says
    never: tuple = ()              # columns that no tier can keep
    later: bool = False            # in tiers 2 and 3 the next Cairn process finishes it: all others ended
    bare_kind: str = field(default="")  # negative controls: compare with another way to end


def sent(signal):
    return Row(f"{signal} from outside", "wait", signal="SIG" + signal, codes=SENT, site="",
               module="libc.so.6", through="wait_for_signal", send=signal)


def seccomp(call, how):
    """A filter that answers with an error or kills. Tier 2 needs clone(): one that kills for it ends
    the program in the midst of it, and leaves what was written before."""
    makes_none = call in ("clone", "all")
    return Row(f"seccomp: {call} {how}", "seccomp-eperm" if how == "EPERM" else "seccomp-kill", call,
               lowest=3 if makes_none else 1,
               lost=("thread", "exit") if makes_none and how == "kills" else (),
               short=(PRELOAD,) if (call, how) in (("open", "kills"), ("clone", "EPERM")) else ())


# Of a stack that does not fit, both ends are kept. We find the way from one to the other, LLDB does not. Nor
# does LLDB 14 find what a signal interrupted in the midst of a system call that libc makes cancellable.
LLDB = ("lldb",)

CALL = dict(signal="SIGABRT", codes=("SI_TKILL",), site="", module="libc.so.6")

ROWS = [
    Row("null dereference", "null", short=BOTH),
    Row("stack 33 KiB deep", "deep", "33792", through="descend", frames=30, short=(PRELOAD,)),
    Row("stack 8 MiB deep", "deep", "", through="descend", frames=200, kept=30, lost=LLDB),
    Row("stack 12 MiB deep, thread", "deep-thread", str(12 << 20), through="descend",
        walk="start_thread", frames=200, kept=30, never=LLDB, modes=EACH),
    Row("1 other thread", "among", "1", walk="thread_body", threads=3, short=(EMBEDDED,)),
    Row("10 other threads", "among", "10", walk="thread_body", threads=12),
    Row("100 other threads", "among", "100", walk="thread_body", threads=102, short=(PRELOAD,)),
    Row("1000 other threads", "among", "1000", walk="thread_body", threads=1002),
    Row("overflow, main", "overflow", site="overflow", frames=200, kept=30, short=(PRELOAD,),
        lost=LLDB),
    Row("overflow, thread", "overflow-thread", codes=("SEGV_ACCERR", "SEGV_MAPERR"),
        site="overflow", walk="thread_body", frames=200, kept=30, short=EACH, lost=LLDB,
        modes=EACH),
    Row("overflow, C11 thread", "overflow-c11", codes=("SEGV_ACCERR", "SEGV_MAPERR"),
        site="overflow", walk="overflow_body", frames=200, kept=30, lost=LLDB, modes=EACH),
    Row("heap smashed", "heap", message=r"free\(\): invalid size", through="crash_heap", **CALL),
    Row("double free", "double-free", message="double free detected", through="crash_double_free",
        short=(PRELOAD,), **CALL),
    Row("in malloc, lock held", "in-malloc", site="_int_malloc", module="libc.so.6",
        through="crash_in_malloc", short=(PRELOAD,)),
    Row("in stdio, lock held", "in-stdio", through="write_and_crash"),
    Row("in dlopen", "in-dlopen", "{module}", through="module_loaded"),
    Row("2 at once", "at-once", "2", walk="crashing_body", threads=3),
    Row("20 at once", "at-once", "20", walk="crashing_body", threads=21, short=(EMBEDDED,)),
    Row("no free descriptor", "no-descriptors", short=(PRELOAD,)),
    Row("closed from 3", "closed", "3"),
    Row("closed from 0", "closed", "0", short=(EMBEDDED,)),
    Row("no address space", "no-address-space"),
    Row("memory cgroup full", "no-memory", "{cgroup}", setup="cgroup", root=True),
    # The kernel may kill the program for a page that somebody needs to report it.
    Row("memory cgroup at its limit", "no-memory-left", "{cgroup}", setup="cgroup", root=True,
        asked=True, never=("reason", "thread", "site", "walk", "exit")),
    Row("spool's disk full", "null", outcome="log", setup="disk-full", root=True),
    Row("jump to 0", "jump-zero", site="", module="", through="call_address"),
    Row("jump to data", "jump-data", codes=("SEGV_ACCERR",), site="", module="",
        through="call_address"),
    Row("stack pointer lost, main", "lost", site="lose_stack", walk=""),
    Row("stack pointer lost, thread", "lost-thread", site="lose_stack", walk=""),
    Row("all signals blocked", "blocked", death=(EMBEDDED,), short=BOTH),
    Row("all blocked, thread", "blocked-thread", walk="thread_body", death=(EMBEDDED,)),
    Row("SIGABRT", "abort", through="crash_abort", short=(EMBEDDED,), **CALL),
    Row("SIGFPE", "fpe", signal="SIGFPE", codes=("FPE_INTDIV",), site="divide"),
    Row("SIGILL", "ill", signal="SIGILL", codes=("ILL_ILLOPN",), site="run_ud2"),
    Row("SIGBUS", "bus", signal="SIGBUS", codes=("BUS_ADRERR",), site="write_behind_end"),
    Row("SIGTRAP", "trap", signal="SIGTRAP", codes=("SI_KERNEL",), site="run_int3"),
    Row("SIGSYS", "sys", signal="SIGSYS", codes=("SYS_SECCOMP",), site="syscall",
        module="libc.so.6", through="crash_sys"),
    *[sent(name) for name in ("SEGV", "ABRT", "FPE", "ILL", "BUS", "TRAP", "SYS")],
    Row("in a signal handler", "in-handler", through="crash_handling"),
    Row("in a handler, all blocked", "in-handler", "blocked", through="crash_handling",
        death=(EMBEDDED,)),
    *[Row(f"in a handler during {call}", "in-wait", call, through="crash_in_handler",
          modes=(PRELOAD,), never=LLDB) for call in ("sigsuspend", "ppoll", "pselect", "epoll")],
    Row("in a handler, other stack", "in-handler-elsewhere", through="crash_handling_elsewhere",
        short=(PRELOAD,)),
    Row("... in a thread", "in-handler-elsewhere", "thread", through="handle_elsewhere",
        walk="thread_body"),
    Row("before main", "before-main", walk="_start", modes=(PRELOAD,)),
    Row("at exit", "at-exit", through="exit"),
    Row("in a TLS destructor", "in-destructor", through="destroy_value", walk="start_thread",
        modes=EACH),
    Row("in a thread_local", "in-thread-local", through="destroy_value",
        walk="start_thread"),
    Row("in a fork child", "in-fork", short=(PRELOAD,)),
    Row("in a vfork child", "in-vfork", alone=BOTH, why_alone="its memory is its parent's"),
    Row("after exec", "after-exec", alone=(PRELOAD,), why_alone="the new program has no Cairn"),
    Row("after exec, --children", "after-exec", modes=(PRELOAD,), setup="children"),
    Row("main thread gone", "without-main", walk="waiting_body"),
    Row("another in vfork", "beside-vfork"),
    Row("another in exit", "beside-exit", walk="waiting_body"),
    Row("another in exec", "beside-exec"),
    Row("stopped by SIGSTOP", "while-stopped"),
    Row("already traced", "traced", lowest=2),
    Row("300 modules", "modules", "{modules-300}"),
    Row("3000 modules", "modules", "{modules-3000}", full=True),
    Row("heap of 256 MiB", "heap-of", str(256 << 20)),
    Row("heap of 4 GiB", "heap-of", str(4 << 30), full=True),
    Row("C++ exception", "exception", message=r"C\+\+ exception std::runtime_error: nobody catches me",
        through="__throw_runtime_error|crash_exception", short=(PRELOAD,), **CALL),
    Row("assert", "assert", message="Assertion `two == 3", through="crash_assert", **CALL),
    Row("fortify", "fortify", message="buffer overflow detected", through="crash_fortify", **CALL),
    Row("stack protector", "canary", message="stack smashing detected", through="crash_canary",
        **CALL),
    Row("dropped user", "nobody", root=True),
    Row("chroot", "chroot", "{empty}", root=True, short=(EMBEDDED,)),
    Row("chroot, dropped user", "chroot-nobody", "{empty}", root=True),
    *[seccomp(call, how) for how in ("EPERM", "kills")
      for call in ("ptrace", "open", "readv", "clone", "all")],
    Row("PID 1", "null", setup="pid-1", root=True, later=True),
    Row("user namespace", "null", setup="user-namespace"),
    Row("read-only root", "null", setup="read-only", root=True),
]

# Each is wrong in what its name says, and must be flagged in that column (and may be in others).
CONTROLS = [
    ("report", Row("control: no crash", "survive")),
    ("reason", Row("control: another signal", "fpe")),
    ("thread", Row("control: another thread", "null", thread="somebody else")),
    ("site", Row("control: another function", "wrong-thread", signal="SIGFPE",
                 codes=("FPE_INTDIV",))),
    ("walk", Row("control: a walk elsewhere", "among", "1")),
    ("message", Row("control: no message", "abort", message="something", **CALL)),
    ("exit", Row("control: another end", "null", bare_kind="abort")),
    ("rest", Row("control: a process stays", "leaves-process")),
    ("exit", Row("control: a hang", "hang")),
]
