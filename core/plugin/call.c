/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls into a plugin: check, create, the kind's own, destroy; then the record that tells how
 * it went. Without that record the host knows that the plugin ended the process. In a step's
 * process.
 */
#include "core/plugin/host.h"
#include "core/plugin/internal.h"
#include "core/util/fault.h"
#include "core/util/text.h"

#include <stdio.h>
#include <string.h>

union any_ops {
    struct ops_head head;
    struct cairn_filter_ops filter;
    struct cairn_annotator_ops annotator;
    struct cairn_writer_ops writer;
    struct cairn_hook_ops hook;
    struct cairn_transport_ops transport;
};

/* As much as both sides know; what an older plugin lacks is NULL. */
static union any_ops copy_ops(const void *ops)
{
    union any_ops copy;
    uint32_t size;

    memset(&copy, 0, sizeof(copy));
    memcpy(&size, ops, sizeof(size));
    memcpy(&copy, ops, size < sizeof(copy) ? size : sizeof(copy));
    return copy;
}

static enum wire_state state_of(int result)
{
    return result == CAIRN_PLUGIN_OK            ? WIRE_DONE
           : result == CAIRN_PLUGIN_UNSUPPORTED ? WIRE_UNSUPPORTED
                                                : WIRE_FAILED;
}

static int call_filter(struct host *host, const union any_ops *ops, void *context,
                       struct wire_end *end)
{
    struct cairn_filter_args args = {
        .size = sizeof(args), .host = &host->table, .report = &host->report, .action = CAIRN_KEEP
    };
    int result = ops->filter.decide(context, &args);

    end->action = args.action;
    args.reason[sizeof(args.reason) - 1] = '\0';
    text_copy(end->reason, sizeof(end->reason), args.reason);
    args.instead_of[sizeof(args.instead_of) - 1] = '\0';
    text_copy(end->instead_of, sizeof(end->instead_of), args.instead_of);
    end->defer_us = args.defer;
    return result;
}

static int call_annotator(struct host *host, const union any_ops *ops, void *context)
{
    struct cairn_annotator_args args = { .size = sizeof(args),
                                         .host = &host->table,
                                         .report = &host->report };

    return ops->annotator.annotate(context, &args);
}

static int call_attachment(struct host *host, const union any_ops *ops, void *context, int out_fd)
{
    struct cairn_attachment_args args = { .size = sizeof(args),
                                          .from = STEP_FD_IN,
                                          .to = out_fd,
                                          .host = &host->table,
                                          .report = &host->report,
                                          .name = host->request->attachment };

    return ops->annotator.attachment != NULL ? ops->annotator.attachment(context, &args)
                                             : CAIRN_PLUGIN_UNSUPPORTED;
}

static int call_writer(struct host *host, const union any_ops *ops, void *context, int out_fd)
{
    struct cairn_writer_args args = {
        .size = sizeof(args), .fd = out_fd, .host = &host->table, .report = &host->report
    };

    return ops->writer.write(context, &args);
}

static int call_hook(struct host *host, const union any_ops *ops, void *context)
{
    struct cairn_hook_args args = { .size = sizeof(args),
                                    .host = &host->table,
                                    .report = &host->report,
                                    .folder = host->request->folder };

    return ops->hook.run(context, &args);
}

static int call_transport(struct host *host, const union any_ops *ops, void *context,
                          struct wire_end *end)
{
    struct cairn_transport_args args = { .size = sizeof(args),
                                         .attempt = host->request->attempt,
                                         .host = &host->table,
                                         .report = &host->report,
                                         .folder = host->request->folder,
                                         .outcome = CAIRN_RETRY };
    int result = ops->transport.send(context, &args);

    end->outcome = args.outcome;
    end->response_code = args.response_code;
    end->retry_after_us = args.retry_after;
    args.error[sizeof(args.error) - 1] = '\0';
    args.server_id[sizeof(args.server_id) - 1] = '\0';
    text_copy(end->reason, sizeof(end->reason), args.error);
    text_copy(end->server_id, sizeof(end->server_id), args.server_id);
    return result;
}

static int call_kind(struct host *host, const union any_ops *ops, void *context, int out_fd,
                     struct wire_end *end)
{
    switch (host->request->instance->kind) {
    case CAIRN_KIND_FILTER:
        return call_filter(host, ops, context, end);
    case CAIRN_KIND_ANNOTATOR:
        return host->request->attachment != NULL ? call_attachment(host, ops, context, out_fd)
                                                 : call_annotator(host, ops, context);
    case CAIRN_KIND_WRITER:
        return call_writer(host, ops, context, out_fd);
    case CAIRN_KIND_HOOK:
        return call_hook(host, ops, context);
    case CAIRN_KIND_TRANSPORT:
        return call_transport(host, ops, context, end);
    }
    return CAIRN_PLUGIN_FAILED;
}

/* From create to destroy. */
static enum wire_state call_plugin(struct host *host, const union any_ops *ops, int out_fd,
                                   struct wire_end *end)
{
    void *context = NULL;
    int result = 0;

    if (ops->head.create != NULL) {
        result = ops->head.create(&host->table, host->request->instance->options, &context);
    }
    if (result == 0) {
        fault_point("step.created");
        result = call_kind(host, ops, context, out_fd, end);
        fault_point("step.called");
        if (ops->head.destroy != NULL) {
            ops->head.destroy(context);
        }
    }
    return state_of(result);
}

static enum wire_state call_all(struct host *host, const struct cairn_plugin *plugin, int out_fd,
                                struct wire_end *end)
{
    const union any_ops ops = copy_ops(plugin->ops);
    int result = 0;

    if (ops.head.check != NULL) {
        result = ops.head.check(&host->table, host->request->instance->options);
    }
    if (host->problems > 0 || result != 0) {
        return WIRE_REFUSED;
    }
    if (host->request->check_only) {
        return WIRE_DONE;
    }
    if (host->request->preview && (plugin->capabilities & CAIRN_CAP_PREVIEW) == 0) {
        return WIRE_UNSUPPORTED; /* it would really send */
    }
    if (host->request->rehearsal != STEP_NO_REHEARSAL) {
        return state_of(host_rehearse(host, plugin, &ops.head, STEP_FD_PLUGIN));
    }
    return call_plugin(host, &ops, out_fd, end);
}

/* A system without seccomp filters is no reason to do without a plugin that is kept to what it says
 * itself. It is one where the network is withheld from it: what is only shown must not leave, nor
 * what the configuration wants to stay. */
static int restrict_step(const struct host *host, struct error *error)
{
    const struct step_request *request = host->request;
    uint64_t declared = request->facts->capabilities, capabilities = declared;
    int result;

    if (request->preview || request->instance->no_network) {
        capabilities &= ~CAIRN_CAP_NETWORK;
    }
    result = host_restrict(capabilities);
    if (result < 0 && capabilities != declared) {
        return error_errno(error, CAIRN_ESYSTEM, -result,
                           "The system cannot withhold the network from it");
    }
    if (result < 0) {
        host->table.log(&host->table, CAIRN_LOG_WARNING,
                        "The system does not keep it to the capabilities that it declares: %s.",
                        strerror(-result));
    }
    return 0;
}

void host_call(struct host *host, int plugin_fd, int out_fd)
{
    const struct cairn_plugin *plugin;
    struct wire_end end;
    struct error error = { 0, "" };

    memset(&end, 0, sizeof(end));
    fault_point("step.begun");
    if (restrict_step(host, &error) < 0 ||
        plugin_load(plugin_fd, host->request->facts, &plugin, &error) < 0) {
        end.state = WIRE_UNUSABLE;
        text_copy(end.reason, sizeof(end.reason), error.text);
    } else {
        end.state = (int32_t)call_all(host, plugin, out_fd, &end);
    }
    fflush(stdout);
    end.limited = host->limited;
    wire_send(host->wire, (struct wire_record){ .type = WIRE_END }, NULL, &end, sizeof(end));
}
