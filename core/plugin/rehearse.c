/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rehearsals: a plugin's create and destroy without the kind's call, watched for what an author
 * does not see: lost memory and descriptors, state in global variables, symbols that only the host
 * happens to have, no memory at all. For `cairn plugin lint`. In a step's process.
 */
#include "core/plugin/elf.h"
#include "core/plugin/host.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define WARM_UP_ROUNDS 12
#define ROUNDS         50
#define DESCRIPTORS    1024

struct rehearsal {
    struct host *host;
    const struct ops_head *ops;
    const struct cairn_plugin *plugin;
    int plugin_fd;
};

/* ---- One instance ---- */

static int make(const struct rehearsal *rehearsal, const void *options, void **ret_context)
{
    *ret_context = NULL;
    return rehearsal->ops->create != NULL
               ? rehearsal->ops->create(&rehearsal->host->table, options, ret_context)
               : CAIRN_PLUGIN_OK;
}

static void unmake(const struct rehearsal *rehearsal, void *context)
{
    if (rehearsal->ops->destroy != NULL) {
        rehearsal->ops->destroy(context);
    }
}

static int live(const struct rehearsal *rehearsal)
{
    void *context;
    int result = make(rehearsal, rehearsal->host->request->instance->options, &context);

    if (result == CAIRN_PLUGIN_OK) {
        unmake(rehearsal, context);
    }
    return result;
}

/* ---- Leaks ---- */

static size_t open_descriptors(void)
{
    size_t count = 0;

    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static int rehearse_leaks(const struct rehearsal *rehearsal)
{
    const struct cairn_host *host = &rehearsal->host->table;
    size_t memory = 0, descriptors = 0, grown;

    for (int i = 0; i < WARM_UP_ROUNDS + ROUNDS; i++) {
        int result = live(rehearsal);

        if (result != CAIRN_PLUGIN_OK) {
            return result;
        }
        if (i == WARM_UP_ROUNDS - 1) {
            descriptors = open_descriptors();
            memory = mallinfo2().uordblks;
        }
    }
    grown = mallinfo2().uordblks;
    if (grown >= memory + ROUNDS) {
        return host->fail(host, "each instance that is made and destroyed loses %zu bytes.",
                          (grown - memory) / ROUNDS);
    }
    if (open_descriptors() > descriptors) {
        return host->fail(host, "%d instances that are made and destroyed leave %zu descriptors.",
                          ROUNDS, open_descriptors() - descriptors);
    }
    return CAIRN_PLUGIN_OK;
}

/* ---- State that instances share ---- */

struct segment {
    const void *plugin; /* an address in the object that is meant */
    unsigned char *start;
    size_t bytes;
};

/* The object's last writable segment: .data and .bss; linkers make one of them. */
static int find_segment(struct dl_phdr_info *info, size_t size, void *user)
{
    struct segment *segment = user;
    uintptr_t wanted = (uintptr_t)segment->plugin;
    bool mine = false;

    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr;

        if (header->p_type != PT_LOAD) {
            continue;
        }
        mine = mine || (wanted >= start && wanted - start < header->p_memsz);
        if ((header->p_flags & PF_W) != 0) {
            segment->start = (unsigned char *)start;
            segment->bytes = header->p_memsz;
        }
    }
    if (!mine) {
        segment->start = NULL;
    }
    return mine;
}

static size_t differences(const unsigned char *left, const unsigned char *right, size_t bytes)
{
    size_t count = 0;

    for (size_t i = 0; i < bytes; i++) {
        count += left[i] != right[i];
    }
    return count;
}

static void *copy_of(const void *data, size_t bytes)
{
    void *copy = malloc(bytes + 1);

    if (copy != NULL && bytes > 0) {
        memcpy(copy, data, bytes);
    }
    return copy;
}

/* Two instances whose options are equal and lie in different places. */
static int compare(const struct rehearsal *rehearsal, const struct segment *segment,
                   const unsigned char *before)
{
    const struct cairn_host *host = &rehearsal->host->table;
    const struct config_instance *instance = rehearsal->host->request->instance;
    void *options[2], *contexts[2] = { NULL, NULL };
    size_t changed;

    for (int i = 0; i < 2; i++) {
        options[i] = copy_of(instance->options, instance->options_bytes);
        if (options[i] == NULL || make(rehearsal, options[i], &contexts[i]) != CAIRN_PLUGIN_OK) {
            return host->fail(host, "a second instance cannot be made beside the first.");
        }
    }
    changed = differences(before, segment->start, segment->bytes);
    unmake(rehearsal, contexts[0]);
    unmake(rehearsal, contexts[1]);
    if (changed == 0) {
        changed = differences(before, segment->start, segment->bytes);
    }
    if (contexts[0] != NULL && contexts[0] == contexts[1]) {
        return host->fail(host, "two instances get the same context.");
    }
    return changed == 0
               ? CAIRN_PLUGIN_OK
               : host->fail(host, "instances change %zu bytes of global variables.", changed);
}

static int rehearse_sharing(const struct rehearsal *rehearsal)
{
    struct segment segment = { .plugin = rehearsal->plugin };
    unsigned char *before;
    int result = live(rehearsal); /* what is initialised once may be */

    if (result != CAIRN_PLUGIN_OK) {
        return result;
    }
    dl_iterate_phdr(find_segment, &segment);
    before = segment.start != NULL ? copy_of(segment.start, segment.bytes) : NULL;
    if (before == NULL) {
        return CAIRN_PLUGIN_OK; /* it has no variables */
    }
    result = compare(rehearsal, &segment, before);
    free(before);
    return result;
}

/* ---- No memory ---- */

/* Takes what malloc() could still give. */
static void use_up_memory(void)
{
    setrlimit(RLIMIT_DATA, &(struct rlimit){ 0, 0 });
    for (size_t bytes = 1 << 20; bytes >= 16; bytes /= 2) {
        void *volatile taken = malloc(bytes);

        while (taken != NULL) {
            taken = malloc(bytes);
        }
    }
}

/* The runtime of C++ allocates a thread's state at its first exception, and ends the process when
 * it cannot: that is none of the plugin's doing. */
static void prepare_exceptions(void)
{
    void *(*get_globals)(void);

    *(void **)&get_globals = dlsym(RTLD_DEFAULT, "__cxa_get_globals");
    if (get_globals == NULL) {
        void *library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_NOLOAD);
        *(void **)&get_globals = library != NULL ? dlsym(library, "__cxa_get_globals") : NULL;
    }
    if (get_globals != NULL) {
        (void)get_globals();
    }
}

/* Any answer will do; a crash is what it is about. */
static int rehearse_no_memory(const struct rehearsal *rehearsal)
{
    prepare_exceptions();
    use_up_memory();
    (void)live(rehearsal);
    return CAIRN_PLUGIN_OK;
}

/* ---- Symbols ---- */

/* In the plugin and its libraries only, where the host's own are not looked up. */
static int rehearse_symbols(const struct rehearsal *rehearsal)
{
    const struct cairn_host *host = &rehearsal->host->table;
    struct error error = { 0, "" };
    struct elf_image image;
    struct elf_symbol symbol;
    char path[64];
    void *handle;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", rehearsal->plugin_fd);
    handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    if (handle == NULL || elf_read(rehearsal->plugin_fd, path, &image, &error) < 0) {
        return host->fail(host, "its symbols cannot be looked up.");
    }
    for (uint64_t i = 1, end = elf_symbols(&image); i < end && elf_symbol_at(&image, i, &symbol);
         i++) {
        if (!symbol.defined && !symbol.weak && symbol.name[0] != '\0' &&
            dlsym(handle, symbol.name) == NULL) {
            return host->fail(host, "none of the libraries that it links to has the symbol %s.",
                              symbol.name);
        }
    }
    elf_finish(&image);
    return CAIRN_PLUGIN_OK;
}

int host_rehearse(struct host *host, const struct cairn_plugin *plugin, const struct ops_head *ops,
                  int plugin_fd)
{
    const struct rehearsal rehearsal = { host, ops, plugin, plugin_fd };

    switch (host->request->rehearsal) {
    case STEP_LEAKS:
        return rehearse_leaks(&rehearsal);
    case STEP_SHARING:
        return rehearse_sharing(&rehearsal);
    case STEP_NO_MEMORY:
        return rehearse_no_memory(&rehearsal);
    case STEP_SYMBOLS:
        return rehearse_symbols(&rehearsal);
    case STEP_LIFE:
    case STEP_NO_REHEARSAL:
        break;
    }
    return live(&rehearsal);
}
