/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotator/container: in which container the process ran, and in which pod: ids from the captured
 * control groups of version 1 and 2. A process in a control group namespace of its own sees none of
 * them: then the mounts tell, which the engine shares with a program that it was started from.
 * Runs in a step of the engine.
 */
#include "plugins/common/fd.h"
#include "plugins/common/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ID_BYTES   64  /* a container's id: hexadecimal digits of a SHA-256 */
#define UID_BYTES  36  /* a pod's id: a UUID */
#define NAME_BYTES 128 /* of a container that has a name only */
#define FILE_BYTES (1 << 20)

struct config {
    int32_t unused; /* a configuration structure cannot be empty */
};

static const struct cairn_option options[] = {
    { .name = NULL },
};

struct container {
    char id[ID_BYTES + 1], pod[UID_BYTES + 1], name[NAME_BYTES];
    const char *runtime; /* NULL: not known */
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* there is no state */
    return CAIRN_PLUGIN_OK;
}

/* ---- Ids in paths ---- */

/* The first run of exactly 64 hexadecimal digits; NULL if there is none. */
static const char *find_id(const char *text, size_t bytes)
{
    size_t run = 0;

    for (size_t i = 0; i <= bytes; i++) {
        if (i < bytes && text[i] != '\0' && strchr("0123456789abcdef", text[i]) != NULL) {
            run++;
            continue;
        }
        if (run == ID_BYTES) {
            return text + i - ID_BYTES;
        }
        run = 0;
    }
    return NULL;
}

/* "pod" and a UUID, whose dashes are underscores in the names of systemd's slices. */
static int find_pod(const char *text, size_t bytes, char ret_pod[UID_BYTES + 1])
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    const char *place = memmem(text, bytes, "pod", 3);

    while (place != NULL) {
        const char *uid = place + 3;
        size_t room = bytes - (size_t)(uid - text), i = 0;

        while (room >= UID_BYTES && i < UID_BYTES &&
               (form[i] == '-' ? uid[i] == '-' || uid[i] == '_'
                               : uid[i] != '\0' && strchr("0123456789abcdef", uid[i]) != NULL)) {
            ret_pod[i] = form[i] == '-' ? '-' : uid[i];
            i++;
        }
        if (i == UID_BYTES) {
            ret_pod[UID_BYTES] = '\0';
            return 1;
        }
        ret_pod[0] = '\0';
        place = memmem(uid, room, "pod", 3);
    }
    return 0;
}

/* What comes before the id in the path, and whose habit that is. The first that is found counts. */
static const char *find_runtime(const char *text, size_t bytes)
{
    static const struct {
        const char *sign, *runtime;
    } signs[] = {
        { "cri-containerd-", "containerd" },
        { "crio-", "cri-o" },
        { "libpod-", "podman" },
        { "/libpod_parent/", "podman" },
        { "docker-", "docker" },
        { "/docker/", "docker" },
        { "/ecs/", "ecs" },
        { "/lxc/", "lxc" },
        { "/lxc.payload", "lxc" },
        { "/containerd/", "containerd" },
        { "/garden/", "garden" },
        { "/var/lib/docker/", "docker" },
        { "/overlay-containers/", "podman" },
    };

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (memmem(text, bytes, signs[i].sign, strlen(signs[i].sign)) != NULL) {
            return signs[i].runtime;
        }
    }
    return NULL;
}

/* Containers that have names instead of ids: "/lxc.payload.NAME/…", "/lxc/NAME/…" and
 * "/machine.slice/machine-NAME.scope" of systemd-nspawn. */
static void find_name(const char *text, size_t bytes, struct container *container)
{
    static const struct {
        const char *before, *runtime;
    } forms[] = { { "/lxc.payload.", "lxc" },
                  { "/lxc/", "lxc" },
                  { "/machine.slice/machine-", "nspawn" } };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const char *place = memmem(text, bytes, forms[i].before, strlen(forms[i].before));
        const char *name = place != NULL ? place + strlen(forms[i].before) : NULL;
        size_t length = name != NULL ? strcspn(name, "/\n") : 0;
        const char *end = name != NULL ? memmem(name, length, ".scope", 6) : NULL;

        length = end != NULL ? (size_t)(end - name) : length;
        if (length > 0 && length < NAME_BYTES) {
            memcpy(container->name, name, length);
            container->name[length] = '\0';
            container->runtime = forms[i].runtime;
            return;
        }
    }
}

static void take_line(const char *line, size_t bytes, struct container *container)
{
    const char *id = find_id(line, bytes);

    if (container->pod[0] == '\0') {
        find_pod(line, bytes, container->pod);
    }
    if (id != NULL && container->id[0] == '\0') {
        memcpy(container->id, id, ID_BYTES);
        container->id[ID_BYTES] = '\0';
        container->runtime = find_runtime(line, (size_t)(id - line));
    }
    if (id == NULL && container->name[0] == '\0' && container->id[0] == '\0') {
        find_name(line, bytes, container);
    }
}

static void take_lines(const char *text, struct container *container,
                       int (*counts)(const char *line, size_t bytes))
{
    while (text != NULL && *text != '\0') {
        size_t bytes = strcspn(text, "\n");

        if (counts == NULL || counts(text, bytes)) {
            take_line(text, bytes, container);
        }
        text += bytes + (text[bytes] == '\n');
    }
}

/* ---- What only the inside of a container tells ---- */

/* Runtimes mount these files from a folder that is named by the id; other mounts of a machine with
 * containers name the ids of those. */
static int is_own_mount(const char *line, size_t bytes)
{
    static const char *const targets[] = { " /etc/hostname ", " /etc/hosts ", " /etc/resolv.conf ",
                                           " /run/.containerenv " };

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        if (memmem(line, bytes, targets[i], strlen(targets[i])) != NULL) {
            return 1;
        }
    }
    return 0;
}

/* A mount's root there is ".../pods/<uid>/etc-hosts", without the "pod" of control groups. */
static void find_mounted_pod(const char *mounts, struct container *container)
{
    const char *place = strstr(mounts, "/pods/");
    char text[3 + UID_BYTES + 1];

    if (place != NULL && container->pod[0] == '\0') {
        snprintf(text, sizeof(text), "pod%.*s", UID_BYTES, place + 6);
        find_pod(text, strlen(text), container->pod);
    }
}

static void look_inside(struct container *container)
{
    char *mounts = malloc(FILE_BYTES);

    if (mounts != NULL &&
        fd_read_text(AT_FDCWD, "/proc/self/mountinfo", 0, mounts, FILE_BYTES) == 0) {
        take_lines(mounts, container, is_own_mount);
        find_mounted_pod(mounts, container);
    }
    free(mounts);
}

/* A pod's containers have its name as theirs, and its namespace with the account they use. */
static int add_pod(const struct cairn_host *host, const struct container *container, int inside)
{
    char text[NAME_BYTES * 2];
    int status = host->set_string(host, "k8s.pod.uid", container->pod);

    if (inside && gethostname(text, sizeof(text)) == 0) {
        text[sizeof(text) - 1] = '\0';
        status |= host->set_string(host, "k8s.pod.name", text);
    }
    if (inside && fd_read_text(AT_FDCWD, "/run/secrets/kubernetes.io/serviceaccount/namespace", 0,
                               text, sizeof(text)) == 0) {
        status |= host->set_string(host, "k8s.namespace.name", text);
    }
    return status;
}

/* The engine of a dump that was imported runs anywhere. */
static int is_from_here(const struct cairn_annotator_args *args)
{
    struct cairn_value tier;

    return args->host->get(args->host, args->report, "tier", &tier) &&
           tier.type == CAIRN_VALUE_INTEGER && tier.integer > 0;
}

static int set(const struct cairn_host *host, const char *name, const char *value)
{
    return value != NULL && value[0] != '\0' ? host->set_string(host, name, value) : 0;
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    const struct cairn_host *host = args->host;
    struct container container = { .runtime = NULL };
    int inside = is_from_here(args), status = 0;

    (void)context;
    take_lines(proc_file(host, args->report, "cgroup"), &container, NULL);
    if (inside && container.id[0] == '\0' && container.name[0] == '\0') {
        look_inside(&container);
    }
    if (container.id[0] == '\0' && container.name[0] == '\0' && container.pod[0] == '\0') {
        return CAIRN_PLUGIN_UNSUPPORTED;
    }
    status |= set(host, "container.id", container.id);
    status |= set(host, "container.name", container.name);
    status |= set(host, "container.runtime", container.runtime);
    status |= container.pod[0] != '\0' ? add_pod(host, &container, inside) : 0;
    return status == 0 ? CAIRN_PLUGIN_OK
                       : host->fail(host, "Not every attribute of the container could be set.");
}

static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .annotate = annotate,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_ANNOTATOR),
    .name = "container",
    .version = "1.0.0",
    .summary = "Adds the ids of the container and of the Kubernetes pod that the process ran in.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_ANNOTATOR, "container");
