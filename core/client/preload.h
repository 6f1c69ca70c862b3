/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the preload library of `cairn run`, among themselves. [app] */
#ifndef CAIRN_CORE_CLIENT_PRELOAD_H
#define CAIRN_CORE_CLIENT_PRELOAD_H

/* What `cairn run` put into the environment; NULL where it is absent. Pointers into the strings of
 * the environment, which stay. */
struct preload_options {
    const char *config, *application, *version;
};

/* Takes the options and this library out of the environment, in place: the program and what it
 * starts see their own. */
void preload_take_environment(char **environment, struct preload_options *ret_options);

#endif
