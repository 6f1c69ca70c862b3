/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fixed set of plugin tables for the tests of core/config: some sound, the others each wrong in
 * one way. No plugin file is involved.
 */
#ifndef CAIRN_TESTS_ENGINE_CHECK_CONFIG_H
#define CAIRN_TESTS_ENGINE_CHECK_CONFIG_H

#include "core/config/config.h"

/* The structure that the filter "everything" is bound to: every type, also in lists and maps. */
struct everything {
    const char *string;
    int32_t flag;
    int32_t mode;
    int64_t integer;
    double number;
    uint64_t size;
    uint64_t duration;
    const char *path;
    const char *secret;
    const char *url;
    int32_t signal;
    struct cairn_list strings, flags, integers, numbers, sizes, durations, modes, paths, signals;
    struct cairn_map values, counts;
};

/* A config_find_fn. */
const struct config_plugin_facts *test_find_plugin(const struct config_instance *instance,
                                                   struct config_problems *problems, void *user);

#endif
