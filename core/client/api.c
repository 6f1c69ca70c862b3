/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C API, and which copy of the library answers it. A process may have several copies: host
 * program and plug-in, preload and embedded, static and shared. They know each other by one symbol,
 * `cairn_copy`, which leads to the table of the copy in charge; the others' handlers become
 * handlers of that one, so that there is one signal handler, and one report per handler. [app]
 */
#include "core/client/client.h"

#include <string.h>
#include <unistd.h>

/* C has no word for what this symbol is: unique. The dynamic linker takes one object of this name
 * for all libraries of the process, even where it would not look otherwise (RTLD_LOCAL), and never
 * unloads the one that has it. A program has to export it (cairn.pc says how); of one that does
 * not, libraries do not know, and each does its work by itself: the signal handlers are chained. */
__asm__(".pushsection .data.rel.cairn_copy,\"aw\"\n"
        ".balign 8\n"
        ".type cairn_copy, @gnu_unique_object\n"
        ".size cairn_copy, 8\n"
        "cairn_copy:\n"
        ".quad client_copy\n"
        ".popsection\n");
extern const struct client_copy *cairn_copy __attribute__((visibility("default")));

const struct client_copy client_copy = {
    CLIENT_COPY_MAGIC, sizeof(client_copy), client_start,  client_stop, client_set,
    client_breadcrumb, client_attach,       client_memory, client_dump,
};

/* One that is older and cannot do all that this one needs is left alone. */
static inline const struct client_copy *in_charge(void)
{
    const struct client_copy *copy = __atomic_load_n(&cairn_copy, __ATOMIC_ACQUIRE);

    return copy->magic == CLIENT_COPY_MAGIC && copy->size >= sizeof(*copy) ? copy : &client_copy;
}

void client_take_charge(void)
{
    __atomic_store_n(&cairn_copy, &client_copy, __ATOMIC_RELEASE);
}

int cairn_start(const struct cairn_options *options, struct cairn **ret_cairn, char *error,
                size_t error_size)
{
    return in_charge()->start(options, environ, ret_cairn, error, error_size, &client_copy);
}

int cairn_stop(struct cairn *cairn)
{
    return in_charge()->stop(cairn, &client_copy);
}

static int set(struct cairn *cairn, const char *name, uint32_t type, uint64_t bits,
               const char *string)
{
    return in_charge()->set(cairn, name, type, bits, string, &client_copy);
}

int cairn_set_string(struct cairn *cairn, const char *name, const char *value)
{
    return set(cairn, name, CLIENT_STRING, 0, value);
}

int cairn_set_integer(struct cairn *cairn, const char *name, int64_t value)
{
    return set(cairn, name, CLIENT_INTEGER, (uint64_t)value, NULL);
}

int cairn_set_double(struct cairn *cairn, const char *name, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return set(cairn, name, CLIENT_DOUBLE, bits, NULL);
}

int cairn_set_bool(struct cairn *cairn, const char *name, int value)
{
    return set(cairn, name, CLIENT_BOOL, value != 0, NULL);
}

int cairn_unset(struct cairn *cairn, const char *name)
{
    return set(cairn, name, CLIENT_UNSET, 0, NULL);
}

int cairn_breadcrumb(struct cairn *cairn, const char *category, const char *message)
{
    return in_charge()->breadcrumb(cairn, category, message, &client_copy);
}

int cairn_attach_file(struct cairn *cairn, const char *path)
{
    return in_charge()->attach(cairn, path, 1, &client_copy);
}

int cairn_detach_file(struct cairn *cairn, const char *path)
{
    return in_charge()->attach(cairn, path, 0, &client_copy);
}

int cairn_add_memory(struct cairn *cairn, const void *start, size_t bytes, const char *name)
{
    return bytes != 0 ? in_charge()->memory(cairn, start, bytes, name, &client_copy) : CAIRN_EINVAL;
}

int cairn_remove_memory(struct cairn *cairn, const void *start)
{
    return in_charge()->memory(cairn, start, 0, NULL, &client_copy);
}

int cairn_dump(struct cairn *cairn, const char *message, char ret_id[37])
{
    return in_charge()->dump(cairn, message, 0, 0, ret_id, &client_copy);
}

int cairn_dump_process(struct cairn *cairn, int pid, int tid, const char *message, char ret_id[37])
{
    if (pid <= 0 || tid < 0) {
        return CAIRN_EINVAL;
    }
    return in_charge()->dump(cairn, message, pid, tid, ret_id, &client_copy);
}
