/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints where every member of the plugin ABI's structures lies, as of version 1.0. Compiled
 * against a frozen header and against today's, the two outputs must agree; see abi.sh. Fails when a
 * member that is not listed leaves a hole.
 */
#include <cairn/plugin.h>

#include <stdio.h>

static size_t end;
static int holes;

static void begin(const char *name)
{
    printf("struct %s\n", name);
    end = 0;
}

static void member(const char *structure, const char *name, size_t offset, size_t bytes)
{
    if (offset != end) {
        fprintf(stderr, "struct %s has a hole before %s\n", structure, name);
        holes = 1;
    }
    printf("  %s.%s at %zu, %zu bytes\n", structure, name, offset, bytes);
    end = offset + bytes;
}

#define S(structure_) begin(#structure_)
#define M(structure_, member_)                                                                     \
    member(#structure_, #member_, offsetof(struct structure_, member_),                            \
           sizeof(((struct structure_ *)0)->member_))
#define E(structure_) printf("sizeof %s %zu\n", #structure_, sizeof(struct structure_))
#define HEAD(s_)      (S(s_), M(s_, size), M(s_, flags), M(s_, check), M(s_, create), M(s_, destroy))

static void print_values(void)
{
    S(cairn_list), M(cairn_list, count), M(cairn_list, items), E(cairn_list);
    S(cairn_map), M(cairn_map, count), M(cairn_map, keys), M(cairn_map, values), E(cairn_map);
    S(cairn_option), M(cairn_option, name), M(cairn_option, type), M(cairn_option, flags),
        M(cairn_option, offset), M(cairn_option, reserved), M(cairn_option, default_text),
        M(cairn_option, min), M(cairn_option, max), M(cairn_option, choices),
        M(cairn_option, capture), M(cairn_option, help), E(cairn_option);
    S(cairn_value), M(cairn_value, type), M(cairn_value, boolean), M(cairn_value, integer),
        M(cairn_value, uint64), M(cairn_value, number), M(cairn_value, string), E(cairn_value);
}

static void print_report(void)
{
    S(cairn_frame), M(cairn_frame, size), M(cairn_frame, index), M(cairn_frame, address),
        M(cairn_frame, module_offset), M(cairn_frame, symbol_offset), M(cairn_frame, module),
        M(cairn_frame, module_path), M(cairn_frame, build_id), M(cairn_frame, symbol),
        M(cairn_frame, trust), E(cairn_frame);
    S(cairn_register), M(cairn_register, size), M(cairn_register, reserved),
        M(cairn_register, value), M(cairn_register, name), E(cairn_register);
    S(cairn_thread), M(cairn_thread, size), M(cairn_thread, id),
        M(cairn_thread, instruction_pointer), M(cairn_thread, stack_pointer),
        M(cairn_thread, stack_start), M(cairn_thread, stack_size), M(cairn_thread, name),
        M(cairn_thread, crashed), M(cairn_thread, reserved), E(cairn_thread);
    S(cairn_module), M(cairn_module, size), M(cairn_module, reserved), M(cairn_module, base),
        M(cairn_module, length), M(cairn_module, path), M(cairn_module, build_id),
        M(cairn_module, version), E(cairn_module);
    S(cairn_breadcrumb), M(cairn_breadcrumb, size), M(cairn_breadcrumb, reserved),
        M(cairn_breadcrumb, time), M(cairn_breadcrumb, category), M(cairn_breadcrumb, message),
        E(cairn_breadcrumb);
    S(cairn_artifact), M(cairn_artifact, size), M(cairn_artifact, is_minidump),
        M(cairn_artifact, bytes), M(cairn_artifact, name), M(cairn_artifact, media_type),
        M(cairn_artifact, sha256), M(cairn_artifact, path), E(cairn_artifact);
}

static void print_host(void)
{
    S(cairn_host), M(cairn_host, size), M(cairn_host, abi_major), M(cairn_host, abi_minor),
        M(cairn_host, log), M(cairn_host, fail), M(cairn_host, problem), M(cairn_host, note),
        M(cairn_host, time_left), M(cairn_host, instance), M(cairn_host, get),
        M(cairn_host, attribute_at), M(cairn_host, note_at), M(cairn_host, frame_at),
        M(cairn_host, register_at), M(cairn_host, thread_at), M(cairn_host, module_at),
        M(cairn_host, breadcrumb_at), M(cairn_host, artifact_at), M(cairn_host, read_memory),
        M(cairn_host, stream), M(cairn_host, process_file), M(cairn_host, minidump_fd),
        M(cairn_host, set_string), M(cairn_host, set_integer), M(cairn_host, set_double),
        M(cairn_host, set_bool), M(cairn_host, service), M(cairn_host, private_data), E(cairn_host);
    S(cairn_state_service), M(cairn_state_service, size), M(cairn_state_service, reserved),
        M(cairn_state_service, open), E(cairn_state_service);
    S(cairn_texts_service), M(cairn_texts_service, size), M(cairn_texts_service, reserved),
        M(cairn_texts_service, set_message), M(cairn_texts_service, set_breadcrumb),
        E(cairn_texts_service);
    S(cairn_preview_part), M(cairn_preview_part, size), M(cairn_preview_part, kind),
        M(cairn_preview_part, name), M(cairn_preview_part, data), M(cairn_preview_part, bytes),
        M(cairn_preview_part, path), M(cairn_preview_part, filename),
        M(cairn_preview_part, media_type), E(cairn_preview_part);
    S(cairn_preview_service), M(cairn_preview_service, size), M(cairn_preview_service, reserved),
        M(cairn_preview_service, part), E(cairn_preview_service);
}

static void print_kinds(void)
{
    HEAD(cairn_filter_ops), M(cairn_filter_ops, decide), E(cairn_filter_ops);
    HEAD(cairn_annotator_ops), M(cairn_annotator_ops, annotate), E(cairn_annotator_ops);
    HEAD(cairn_writer_ops), M(cairn_writer_ops, write), M(cairn_writer_ops, extension),
        M(cairn_writer_ops, media_type), E(cairn_writer_ops);
    HEAD(cairn_hook_ops), M(cairn_hook_ops, run), E(cairn_hook_ops);
    HEAD(cairn_transport_ops), M(cairn_transport_ops, send), E(cairn_transport_ops);
    S(cairn_filter_args), M(cairn_filter_args, size), M(cairn_filter_args, reserved),
        M(cairn_filter_args, host), M(cairn_filter_args, report), M(cairn_filter_args, action),
        M(cairn_filter_args, reason), M(cairn_filter_args, instead_of), M(cairn_filter_args, defer),
        E(cairn_filter_args);
    S(cairn_annotator_args), M(cairn_annotator_args, size), M(cairn_annotator_args, reserved),
        M(cairn_annotator_args, host), M(cairn_annotator_args, report), E(cairn_annotator_args);
    S(cairn_writer_args), M(cairn_writer_args, size), M(cairn_writer_args, fd),
        M(cairn_writer_args, host), M(cairn_writer_args, report), E(cairn_writer_args);
    S(cairn_hook_args), M(cairn_hook_args, size), M(cairn_hook_args, reserved),
        M(cairn_hook_args, host), M(cairn_hook_args, report), M(cairn_hook_args, folder),
        E(cairn_hook_args);
    S(cairn_transport_args), M(cairn_transport_args, size), M(cairn_transport_args, attempt),
        M(cairn_transport_args, host), M(cairn_transport_args, report),
        M(cairn_transport_args, folder), M(cairn_transport_args, outcome),
        M(cairn_transport_args, response_code), M(cairn_transport_args, retry_after),
        M(cairn_transport_args, server_id), M(cairn_transport_args, error), E(cairn_transport_args);
    S(cairn_plugin), M(cairn_plugin, magic), M(cairn_plugin, size), M(cairn_plugin, abi_major),
        M(cairn_plugin, abi_minor), M(cairn_plugin, kind), M(cairn_plugin, capabilities),
        M(cairn_plugin, name), M(cairn_plugin, version), M(cairn_plugin, summary),
        M(cairn_plugin, options), M(cairn_plugin, option_size), M(cairn_plugin, config_size),
        M(cairn_plugin, ops), E(cairn_plugin);
}

static void print_constants(void)
{
    printf("magic %x major %d kinds %d%d%d%d%d capabilities %llx %llx %llx %llx results %d %d %d\n",
           CAIRN_PLUGIN_MAGIC, CAIRN_ABI_MAJOR, CAIRN_KIND_FILTER, CAIRN_KIND_ANNOTATOR,
           CAIRN_KIND_WRITER, CAIRN_KIND_HOOK, CAIRN_KIND_TRANSPORT, CAIRN_CAP_NETWORK,
           CAIRN_CAP_PROCESSES, CAIRN_CAP_PERSONAL_DATA, CAIRN_CAP_PREVIEW, CAIRN_PLUGIN_OK,
           CAIRN_PLUGIN_FAILED, CAIRN_PLUGIN_UNSUPPORTED);
    printf("options %d %d %d %d %d %d %d %d %d %d %d flags %u %u %u %u %u\n", CAIRN_OPTION_STRING,
           CAIRN_OPTION_BOOL, CAIRN_OPTION_INTEGER, CAIRN_OPTION_DOUBLE, CAIRN_OPTION_SIZE,
           CAIRN_OPTION_DURATION, CAIRN_OPTION_ENUM, CAIRN_OPTION_PATH, CAIRN_OPTION_SECRET,
           CAIRN_OPTION_SIGNAL, CAIRN_OPTION_URL, CAIRN_OPTION_REQUIRED, CAIRN_OPTION_LIST,
           CAIRN_OPTION_MAP, CAIRN_OPTION_NEEDS_STACK, CAIRN_OPTION_NEEDS_REPORT);
    printf(
        "values %d %d %d %d %d %d levels %d %d %d stages %u %u %u actions %d %d deliveries %d %d "
        "%d\n",
        CAIRN_VALUE_NONE, CAIRN_VALUE_STRING, CAIRN_VALUE_INTEGER, CAIRN_VALUE_DOUBLE,
        CAIRN_VALUE_BOOL, CAIRN_VALUE_UINT64, CAIRN_LOG_ERROR, CAIRN_LOG_WARNING, CAIRN_LOG_INFO,
        CAIRN_STAGE_CRASH, CAIRN_STAGE_STACK, CAIRN_STAGE_REPORT, CAIRN_KEEP, CAIRN_DROP,
        CAIRN_DELIVERED, CAIRN_RETRY, CAIRN_REJECTED);
}

int main(void)
{
    print_constants();
    print_values();
    print_report();
    print_host();
    print_kinds();
    return holes;
}
