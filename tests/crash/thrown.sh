#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a C++ program threw and nobody caught is in crash.message: type and text, read from the stack of the crashed
# thread, whichever library threw it. A caught exception and a plain abort() have none; the program ends as without Cairn.
. "$CAIRN_SRCDIR/tests/lib.sh"

cat >"$scratch/cairn.yaml" <<END
version: 1
engine: { spool: $spool }
writers:
  dump: { plugin: minidump, memory: stacks }
pipelines:
  default: { writers: [dump] }
END

cat >"$scratch/throws.cc" <<'END'
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace shop {
struct Plain { int code; };
struct Own : std::exception {
    std::string text;
    explicit Own(const char *t) : text(t) {}
    const char *what() const noexcept override { return text.c_str(); }
};
template <typename T, int N> struct Box { T value; };
}

__attribute__((noinline)) static void rethrow() noexcept
{
    try { throw std::logic_error("twice"); } catch (...) { throw; }
}

static void quiet_end() { write(2, "own handler\n", 12); abort(); }
static void deep_end() { char room[2000]; memset(room, 'x', sizeof(room)); write(2, room, 1); abort(); }

int main(int, char **arguments)
{
    const std::string kind = arguments[1];

    if (kind == "runtime") throw std::runtime_error("a long enough text to lie on the heap of its own");
    if (kind == "plain") throw shop::Plain{7};
    if (kind == "own") throw shop::Own("short");
    if (kind == "box") throw shop::Box<const char *, 3>{"a box"};
    if (kind == "int") throw 42;
    if (kind == "text") throw "a literal";
    if (kind == "string") throw std::string("a string");
    if (kind == "alloc") throw std::bad_alloc();
    if (kind == "system") throw std::system_error(2, std::generic_category(), "no such thing");
    if (kind == "noexcept") rethrow();
    if (kind == "handler") { std::set_terminate(quiet_end); throw std::runtime_error("after ours"); }
    if (kind == "deep") { std::set_terminate(deep_end); throw std::runtime_error("deep"); }
    if (kind == "thread") std::thread([] { throw std::runtime_error("in a thread"); }).join();
    if (kind == "carried") {
        std::exception_ptr held;
        try { throw std::runtime_error("carried over"); } catch (...) { held = std::current_exception(); }
        std::rethrow_exception(held);
    }
    if (kind == "caught") {
        try { throw std::runtime_error("caught before"); } catch (const std::exception &) { write(2, "", 0); }
        abort();
    }
    return 0;
}
END

# throws PROGRAM KIND MESSAGE
count=0
throws() {
    count=$((count + 1))
    cairn run -c "$scratch/cairn.yaml" -- "$1" "$2" >"$scratch/out" 2>"$scratch/err"
    is "$2 of ${1##*/}: exit status" "$?" 134
    ok "$2 of ${1##*/}: a report" wait_for 30 committed "$count"
    is "$2 of ${1##*/}: message" "$(field "$(newest)/report.json" crash.message)" "$3"
}

thrown="C++ exception"
g++ -g -O1 -pthread -o "$scratch/throws" "$scratch/throws.cc"
throws "$scratch/throws" runtime "$thrown std::runtime_error: a long enough text to lie on the heap of its own"
throws "$scratch/throws" plain "$thrown shop::Plain"
throws "$scratch/throws" own "$thrown shop::Own: short"
throws "$scratch/throws" box "$thrown shop::Box<char const*, 3>"
throws "$scratch/throws" int "$thrown int"
throws "$scratch/throws" text "$thrown char const*: a literal"
throws "$scratch/throws" string "$thrown std::string: a string"
throws "$scratch/throws" alloc "$thrown std::bad_alloc"
throws "$scratch/throws" system "$thrown std::system_error: no such thing: No such file or directory"
throws "$scratch/throws" noexcept "$thrown std::logic_error: twice"
throws "$scratch/throws" handler "$thrown std::runtime_error: after ours"
throws "$scratch/throws" deep "$thrown std::runtime_error: deep"
throws "$scratch/throws" thread "$thrown std::runtime_error: in a thread"
throws "$scratch/throws" carried "$thrown std::runtime_error: carried over"
throws "$scratch/throws" caught null
g++ -O2 -static-libstdc++ -static-libgcc -pthread -o "$scratch/alone" "$scratch/throws.cc"
throws "$scratch/alone" runtime "$thrown std::runtime_error: a long enough text to lie on the heap of its own"
throws "$scratch/alone" noexcept "$thrown std::logic_error: twice"
if command -v clang++ >/dev/null 2>&1; then
    clang++ -O2 -pthread -o "$scratch/by_clang" "$scratch/throws.cc"
    throws "$scratch/by_clang" noexcept "$thrown std::logic_error: twice"
fi
done_testing
