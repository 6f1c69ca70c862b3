/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A C++ program that makes its threads by std::thread, which libstdc++ calls pthread_create() for:
 * the second overflows its stack. Linked with libcairn-threads.
 *
 *     threads_std CONFIG
 */
#include <cairn/cairn.h>
#include <cstdio>
#include <thread>

/* Of C, so that they are called in reports as the other programs' are. */
extern "C" {
__attribute__((noinline)) int overflow(volatile char *previous)
{
    volatile char frame[4096];

    frame[0] = previous[0];
    return frame[0] == 0 ? overflow(frame) + frame[0] : 1;
}

__attribute__((noinline)) void thread_body(int *result)
{
    char first = 0;

    *result = overflow(&first);
}
}

int main(int argc, char **argv)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[4096] = "";
    int result = argc;

    options.config_file = argv[1];
    if (cairn_start(&options, nullptr, error, sizeof(error)) != 0) {
        std::fprintf(stderr, "%s\n", error);
        return 2;
    }
    std::thread([&result] { result++; }).join();
    std::thread(thread_body, &result).join();
    return result;
}
