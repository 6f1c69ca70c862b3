/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as the engine prints it, for the tests of the monitor. */
#ifndef CAIRN_TESTS_UNIT_GOOD_PLAN_H
#define CAIRN_TESTS_UNIT_GOOD_PLAN_H

#define GOOD_PLAN                                                                                  \
    "cairn-plan 1\n"                                                                               \
    "signals 0x00000000400006f8\n"                                                                 \
    "claim-ms 1000\n"                                                                              \
    "hold-ms 5000\n"                                                                               \
    "pipeline-ms 20000\n"                                                                          \
    "children fork\n"                                                                              \
    "memory referenced\n"                                                                          \
    "classes command-line,environment\n"                                                           \
    "deaths killed,exit\n"                                                                         \
    "max-bytes 67108864\n"                                                                         \
    "engines 4\n"                                                                                  \
    "application-folder /var/lib/cairn/shop\n"

#endif
