/* SPDX-License-Identifier: Apache-2.0 */
/* Where Cairn's own parts lie; see paths.h. Every process but the crashed one. */
#include "core/util/paths.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file `name` in the folder of another file. */
static const char *beside(const char *file, const char *name, char *buffer, size_t capacity)
{
    int folder = (int)(strrchr(file, '/') - file);
    int length = snprintf(buffer, capacity, "%.*s/%s", folder, file, name);

    return length > 0 && (size_t)length < capacity ? buffer : NULL;
}

bool paths_are_governed(void)
{
    char policy[PATH_MAX];
    struct stat status;

    if (beside(CAIRN_CONFIG_PATH, "policy.yaml", policy, sizeof(policy)) == NULL) {
        return true;
    }
    return stat(policy, &status) == 0 ? status.st_uid != geteuid()
                                      : errno != ENOENT && errno != ENOTDIR;
}

/* The environment counts only where it can neither lend somebody else's privileges nor stand above
 * what the administrator has said. */
static const char *environment(const char *variable)
{
    const char *value = secure_getenv(variable);

    return value != NULL && !paths_are_governed() ? value : NULL;
}

static const char *setting(const char *variable, const char *compiled)
{
    const char *value = environment(variable);

    return value != NULL && value[0] == '/' ? value : compiled;
}

const char *paths_libexec(void)
{
    return setting("CAIRN_LIBEXEC", CAIRN_LIBEXECDIR);
}

const char *paths_preload(void)
{
    return setting("CAIRN_PRELOAD", CAIRN_PRELOAD_PATH);
}

const char *paths_config(void)
{
    return setting("CAIRN_CONFIG", CAIRN_CONFIG_PATH);
}

const char *paths_config_folder(char *buffer, size_t capacity)
{
    return beside(paths_config(), "conf.d", buffer, capacity);
}

const char *paths_vendor_folder(char *buffer, size_t capacity)
{
    int length = snprintf(buffer, capacity, "%s/conf.d", setting("CAIRN_DATA", CAIRN_DATA_PATH));

    return length > 0 && (size_t)length < capacity ? buffer : NULL;
}

/* What only the administrator has a say in: the environment counts where nothing is installed. */
static const char *administrators(const char *name, char *buffer, size_t capacity)
{
    const char *installed = beside(CAIRN_CONFIG_PATH, name, buffer, capacity);

    if (installed != NULL && access(installed, F_OK) != 0 && errno == ENOENT) {
        return beside(paths_config(), name, buffer, capacity);
    }
    return installed;
}

const char *paths_policy(char *buffer, size_t capacity)
{
    return administrators("policy.yaml", buffer, capacity);
}

const char *paths_machine_consent(char *buffer, size_t capacity)
{
    return administrators("consent", buffer, capacity);
}

const char *paths_user_consent(char *buffer, size_t capacity)
{
    const char *named = secure_getenv("CAIRN_CONSENT"), *home; /* his to say, whoever governs */
    const struct passwd *user;
    int length;

    if (named != NULL && named[0] == '/') {
        length = snprintf(buffer, capacity, "%s", named);
    } else {
        user = getpwuid(geteuid());
        home = user != NULL ? user->pw_dir : secure_getenv("HOME");
        if (home == NULL || home[0] != '/') {
            return NULL;
        }
        length = snprintf(buffer, capacity, "%s/.config/cairn/consent", home);
    }
    return length > 0 && (size_t)length < capacity ? buffer : NULL;
}

const char *paths_user_config(char *buffer, size_t capacity)
{
    const char *folder = secure_getenv("XDG_CONFIG_HOME");
    const char *home = secure_getenv("HOME");
    int length;

    if (geteuid() == 0 || getauxval(AT_SECURE) != 0) {
        return NULL;
    }
    if (folder != NULL && folder[0] == '/') {
        length = snprintf(buffer, capacity, "%s/cairn/cairn.yaml", folder);
    } else if (home != NULL && home[0] == '/') {
        length = snprintf(buffer, capacity, "%s/.config/cairn/cairn.yaml", home);
    } else {
        return NULL;
    }
    return length > 0 && (size_t)length < capacity ? buffer : NULL;
}

/* Copies the index-th non-empty part of a ':'-separated list; returns how many parts there are
 * when there is no such part, -1 when it was copied. */
static int list_part(const char *list, size_t index, char *buffer, size_t capacity)
{
    size_t count = 0;

    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, ":");

        if (length > 0 && list[0] == '/' && length < capacity) {
            if (count == index) {
                memcpy(buffer, list, length);
                buffer[length] = '\0';
                return -1;
            }
            count++;
        }
        list += length + (list[length] == ':');
    }
    return (int)count;
}

const char *paths_plugins(size_t index, char *buffer, size_t capacity)
{
    int count = list_part(environment("CAIRN_PLUGIN_PATH"), index, buffer, capacity);

    if (count < 0) {
        return buffer;
    }
    if (index == (size_t)count && strlen(CAIRN_PLUGINDIR) < capacity) {
        snprintf(buffer, capacity, "%s", CAIRN_PLUGINDIR);
        return buffer;
    }
    return NULL;
}

const char *paths_default_spool(char *buffer, size_t capacity)
{
    const char *state = secure_getenv("XDG_STATE_HOME");
    const char *home = secure_getenv("HOME");
    struct passwd *user;
    int length;

    if (geteuid() == 0) {
        length = snprintf(buffer, capacity, "/var/lib/cairn");
    } else if (state != NULL && state[0] == '/') {
        length = snprintf(buffer, capacity, "%s/cairn", state);
    } else {
        if (home == NULL || home[0] != '/') {
            user = getpwuid(geteuid());
            home = user != NULL ? user->pw_dir : NULL;
        }
        length = home != NULL ? snprintf(buffer, capacity, "%s/.local/state/cairn", home) : 0;
    }
    return length > 0 && (size_t)length < capacity ? buffer : NULL;
}
