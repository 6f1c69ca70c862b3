/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where Cairn's own parts lie: compiled in, and overridden by the environment unless the process
 * has AT_SECURE: CAIRN_LIBEXEC (programs), CAIRN_PLUGIN_PATH (more plugin folders, ':'-separated,
 * before the installed one), CAIRN_PRELOAD (libcairn-preload.so), CAIRN_CONFIG (the installed
 * configuration, and so the folder of its drop-ins), CAIRN_DATA (the vendor's folder),
 * CAIRN_CONSENT (the user's consent file). Where an administrator has installed a policy, none of
 * them but the last counts for other users: it would stand above the policy.
 */
#ifndef CAIRN_CORE_UTIL_PATHS_H
#define CAIRN_CORE_UTIL_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether there is an installed policy of somebody else, so that the environment does not count. */
bool paths_are_governed(void);
const char *paths_libexec(void);
const char *paths_preload(void);
const char *paths_config(void);
/* The layers around it, in `buffer`: the administrator's drop-ins, the vendor's drop-ins, and the
 * user's own file (NULL for root and with AT_SECURE). */
const char *paths_config_folder(char *buffer, size_t capacity);
const char *paths_vendor_folder(char *buffer, size_t capacity);
const char *paths_user_config(char *buffer, size_t capacity);
/* The policy: the installed one; only where there is none, that beside $CAIRN_CONFIG. */
const char *paths_policy(char *buffer, size_t capacity);
/* The machine's consent file: the installed one, by the policy's rule. The user's: in the home
 * folder that the system's accounts name, whatever the environment says, so that what was answered
 * in a shell counts for a service too; NULL where no home is known. $CAIRN_CONSENT names another
 * one. */
const char *paths_machine_consent(char *buffer, size_t capacity);
const char *paths_user_consent(char *buffer, size_t capacity);
/* The index-th plugin folder, each holding <kind>/<name>.so, in `buffer`; NULL past the last. */
const char *paths_plugins(size_t index, char *buffer, size_t capacity);
/* "~/.local/state/cairn" ($XDG_STATE_HOME), or "/var/lib/cairn" for root, in `buffer`; NULL when no
 * home folder is known. */
const char *paths_default_spool(char *buffer, size_t capacity);

#endif
