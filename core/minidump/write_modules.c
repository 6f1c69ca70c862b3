/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minidump's list of modules, with build ids as CodeView records and versions from SONAMEs.
 * Runs in the monitor and in the clone of a crashed program; imports nothing.
 */
#include "core/minidump/write_parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#define CODE_VIEW_ELF     0x4270454cu /* a build id of any length follows */
#define VERSION_SIGNATURE 0xfeef04bdu
#define VERSION_STRUCTURE 0x00010000u
#define TYPE_PROGRAM      1u
#define TYPE_LIBRARY      2u

static struct layout_location write_code_view(struct write *write,
                                              const struct capture_module *module)
{
    struct {
        uint32_t signature;
        unsigned char build_id[sizeof(module->build_id)];
    } record = { CODE_VIEW_ELF, { 0 } };
    struct layout_location at = { sizeof(record.signature) + module->build_id_bytes, 0 };

    capture_copy(record.build_id, module->build_id, module->build_id_bytes);
    at.rva = write_copy(write, &record, at.bytes);
    return at;
}

static void fill_version(struct layout_version *version, const struct capture_module *module)
{
    version->signature = VERSION_SIGNATURE;
    version->structure_version = VERSION_STRUCTURE;
    version->file_high = module->version[0] << 16 | module->version[1];
    version->file_low = module->version[2] << 16 | module->version[3];
    version->product_high = version->file_high;
    version->product_low = version->file_low;
    version->type = module->is_main ? TYPE_PROGRAM : TYPE_LIBRARY;
}

void write_modules(struct write *write)
{
    const struct capture *capture = write->capture;
    uint32_t count = (uint32_t)capture->module_count;
    size_t bytes = sizeof(count) + count * sizeof(struct layout_module);
    uint32_t list = write_room(write, bytes);

    write_over(write, list, &count, sizeof(count));
    for (size_t i = 0; i < count; i++) {
        const struct capture_module *module = &capture->modules[i];
        struct layout_module entry = { .base = module->base };

        entry.bytes = module->bytes <= UINT32_MAX ? (uint32_t)module->bytes : UINT32_MAX;
        entry.name_rva = write_string(write, module->path, capture_length(module->path));
        fill_version(&entry.version, module);
        if (module->build_id_bytes > 0) {
            entry.code_view = write_code_view(write, module);
        }
        write_over(write, list + (uint32_t)(sizeof(count) + i * sizeof(entry)), &entry,
                   sizeof(entry));
    }
    write_stream(write, MINIDUMP_STREAM_MODULE_LIST, list, bytes);
}
