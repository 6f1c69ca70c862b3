/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn doctor`: the configuration, the plugins, the spool, consent, and the program to be run. */
#include "tools/doctor.h"

#include "core/config/config.h"
#include "core/plugin/plugin.h"
#include "core/report/consent.h"
#include "core/util/paths.h"
#include "tools/executable.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define CHECK_MS 20000

/* ---- The configuration ---- */

static void look_at_config(struct doctor *doctor, const char *path)
{
    char engine[PATH_MAX], output[1024];
    char *arguments[] = { engine, "check", "--config", (char *)path, NULL };
    int status;

    snprintf(engine, sizeof(engine), "%s/cairn-engine", paths_libexec());
    status = doctor_run(arguments, CHECK_MS, output, sizeof(output));
    output[strcspn(output, "\n")] = '\0';
    if (status == 0) {
        doctor_say(doctor, DOCTOR_OK, "configuration", "%s has no problems.", path);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG) {
        doctor_say(doctor, DOCTOR_BAD, "configuration", "%s; cairn check %s says all of it.",
                   output, path);
    } else {
        doctor_say(doctor, DOCTOR_BAD, "configuration", "%s cannot check %s. %s", engine, path,
                   output);
    }
}

/* ---- Plugins ---- */

static void complain(const char *path, const struct error *error, void *user)
{
    (void)path;
    doctor_say(user, DOCTOR_BAD, "plugins", "%s", error->text);
}

static void look_at_plugins(struct doctor *doctor)
{
    struct plugin_list list;
    char folder[PATH_MAX];

    if (plugin_scan(&list, complain, doctor) != 0) {
        doctor_say(doctor, DOCTOR_BAD, "plugins", "The plugin folders cannot be read.");
        return;
    }
    if (list.count == 0) {
        doctor_say(doctor, DOCTOR_BAD, "plugins", "There are no plugins in %s.",
                   paths_plugins(0, folder, sizeof(folder)) != NULL ? folder : "any folder");
    } else {
        doctor_say(doctor, DOCTOR_OK, "plugins",
                   "%zu plugins can be used; nobody else can change them.", list.count);
    }
    plugin_list_finish(&list);
}

/* ---- The spool ---- */

static const char *file_system(long type)
{
    static const struct {
        long type;
        const char *name;
    } names[] = {
        { EXT4_SUPER_MAGIC, "ext4" },         { XFS_SUPER_MAGIC, "XFS" },
        { BTRFS_SUPER_MAGIC, "Btrfs" },       { TMPFS_MAGIC, "tmpfs" },
        { OVERLAYFS_SUPER_MAGIC, "overlay" }, { NFS_SUPER_MAGIC, "NFS" },
        { F2FS_SUPER_MAGIC, "F2FS" },         { RAMFS_MAGIC, "ramfs" },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].type == type) {
            return names[i].name;
        }
    }
    return "another kind of file system";
}

/* The spool itself, or the nearest folder above it that exists. */
static void nearest_folder(const char *spool, char *folder, size_t capacity)
{
    snprintf(folder, capacity, "%s", spool);
    while (access(folder, F_OK) != 0 && strchr(folder + 1, '/') != NULL) {
        *strrchr(folder, '/') = '\0';
    }
    if (access(folder, F_OK) != 0) {
        snprintf(folder, capacity, "/");
    }
}

static void look_at_space(struct doctor *doctor, const char *spool, const char *folder,
                          uint64_t wanted)
{
    struct statfs status;
    uint64_t free_bytes;

    if (statfs(folder, &status) != 0) {
        doctor_say(doctor, DOCTOR_BAD, "spool", "%s cannot be examined: %s.", folder,
                   strerror(errno));
        return;
    }
    free_bytes = (uint64_t)status.f_bavail * (uint64_t)status.f_bsize;
    doctor_say(doctor, free_bytes > wanted ? DOCTOR_OK : DOCTOR_BAD, "space",
               "%" PRIu64 " MiB are free on %s (%s); engine.limits.free keeps %" PRIu64 " MiB.",
               free_bytes >> 20, spool, file_system(status.f_type), wanted >> 20);
    if (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC) {
        doctor_say(doctor, DOCTOR_NOTE, "space",
                   "That file system lives in memory: reports do not survive a restart.");
    }
}

/* ---- Consent ---- */

/* That reports stay here is what somebody wanted; not to keep them as well, but they are lost. */
static void look_at_consent(struct doctor *doctor, const struct config *config)
{
    enum consent_verdict verdict = CONSENT_MISSING;
    struct error why;

    if (consent_ask(CONSENT_DISK, config->application,
                    config->disk_consent == CONFIG_CONSENT_REQUIRED, &verdict, &why) != 0 ||
        verdict != CONSENT_ALLOWED) {
        doctor_say(doctor, DOCTOR_BAD, "consent", "Reports are not kept. %s", why.text);
    } else {
        doctor_say(doctor, DOCTOR_OK, "consent", "Reports are kept. %s", why.text);
    }
    if (consent_ask(CONSENT_NETWORK, config->application,
                    config->network_consent == CONFIG_CONSENT_REQUIRED, &verdict, &why) != 0 ||
        verdict != CONSENT_ALLOWED) {
        doctor_say(doctor, DOCTOR_NOTE, "consent", "Reports do not leave over the network. %s",
                   why.text);
    }
}

static void look_at_spool(struct doctor *doctor, const char *path)
{
    struct config_request request = { .path = path, .fd = -1 };
    struct config_problems problems;
    struct config *config = NULL;
    char folder[PATH_MAX];

    config_problems_init(&problems);
    if (config_load_layers(&request, &config, &problems) == 0) {
        nearest_folder(config->spool, folder, sizeof(folder));
        if (access(folder, W_OK | X_OK) != 0) {
            doctor_say(doctor, DOCTOR_BAD, "spool", "%s cannot be written: %s: %s.", config->spool,
                       folder, strerror(errno));
        } else {
            doctor_say(doctor, DOCTOR_OK, "spool", "%s %s.", config->spool,
                       strcmp(folder, config->spool) == 0 ? "can be written" : "can be made");
        }
        look_at_space(doctor, config->spool, folder, config->limits.free_bytes);
        look_at_consent(doctor, config);
    }
    config_destroy(config);
    config_problems_finish(&problems);
}

void doctor_look_at_setup(struct doctor *doctor, const char *config)
{
    look_at_config(doctor, config);
    look_at_plugins(doctor);
    look_at_spool(doctor, config);
}

/* ---- The program ---- */

void doctor_look_at_program(struct doctor *doctor, const char *program)
{
    char path[PATH_MAX];
    struct error error;

    if (executable_find(program, path, &error) != 0) {
        doctor_say(doctor, DOCTOR_BAD, "program", "%s", error.text);
    } else if (executable_can_preload(path, &error) != 0) {
        doctor_say(doctor, DOCTOR_BAD, "program", "%s", error.text);
    } else {
        doctor_say(doctor, DOCTOR_OK, "program", "`cairn run` can report the crashes of %s.", path);
        if (executable_is_script(path)) {
            doctor_say(doctor, DOCTOR_NOTE, "program",
                       "It is a script: its interpreter is reported, and what it becomes by exec; "
                       "programs that it starts besides are with `cairn run --children`.");
        }
    }
}
