/* SPDX-License-Identifier: Apache-2.0 */
/* The bundled filters, and the descriptors of all bundled plugins. */
#include "tests/unit/plugin_harness.h"
#include "tests/unit/tap.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static struct harness harness;
static struct cairn_filter_args verdict;

static int decide(void)
{
    CU_ASSERT_EQUAL(harness_decide(&harness, &verdict), CAIRN_PLUGIN_OK);
    return verdict.action;
}

static void signal_keeps_listed(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "filter", "signal"));
    harness_option(&harness, "signals", "SEGV");
    harness_option(&harness, "signals", "SIGABRT");
    CU_ASSERT_EQUAL(decide(), CAIRN_KEEP);
    harness_field(&harness, "crash.signal", "SIGABRT");
    CU_ASSERT_EQUAL(decide(), CAIRN_KEEP);
    harness_field(&harness, "crash.signal", "SIGTRAP");
    CU_ASSERT_EQUAL(decide(), CAIRN_DROP);
    CU_ASSERT_STRING_EQUAL(verdict.reason, "SIGTRAP is not on the list of signals to keep");
    harness_field(&harness, "crash.signal", "SIG44");
    CU_ASSERT_EQUAL(decide(), CAIRN_DROP);
    harness_close(&harness);
}

static void signal_drops_listed(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "filter", "signal"));
    harness_option(&harness, "signals", "TRAP");
    harness_option(&harness, "mode", "drop");
    CU_ASSERT_EQUAL(decide(), CAIRN_KEEP);
    harness_field(&harness, "crash.signal", "SIGTRAP");
    CU_ASSERT_EQUAL(decide(), CAIRN_DROP);
    CU_ASSERT_STRING_EQUAL(verdict.reason, "SIGTRAP is on the list of signals to drop");
    harness_close(&harness);
}

static void signal_passes_requests(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "filter", "signal"));
    harness_option(&harness, "signals", "SEGV");
    harness_no_field(&harness, "crash.signal");
    CU_ASSERT_EQUAL(decide(), CAIRN_KEEP);
    harness_close(&harness);
}

static void match_by_executable(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "filter", "match"));
    CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_STRING_EQUAL(harness.problems,
                           "exe: nothing to match: give exe, user, application or "
                           "attributes\n");
    harness_option(&harness, "exe", "/usr/*");
    CU_ASSERT_EQUAL(decide(), CAIRN_DROP);
    CU_ASSERT_STRING_EQUAL(verdict.reason, "its executable is not among those to keep");
    harness_option(&harness, "exe", "/opt/shop/*");
    CU_ASSERT_EQUAL(decide(), CAIRN_KEEP);
    harness_option(&harness, "user", "root");
    CU_ASSERT_EQUAL(decide(), CAIRN_DROP);
    CU_ASSERT_STRING_EQUAL(verdict.reason, "its user is not among those to keep");
    harness_close(&harness);
}

static void match_drops(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "filter", "match"));
    harness_option(&harness, "application", "sh?p");
    harness_option(&harness, "action", "drop");
    CU_ASSERT_EQUAL(decide(), CAIRN_DROP);
    harness_field(&harness, "application.name", "other");
    CU_ASSERT_EQUAL(decide(), CAIRN_KEEP);
    harness_close(&harness);
}

static void match_by_attributes(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "filter", "match"));
    harness_option(&harness, "attributes", "channel=beta*");
    CU_ASSERT_EQUAL(decide(), CAIRN_DROP);
    CU_ASSERT_STRING_EQUAL(verdict.reason, "its channel is not among those to keep");
    harness_attribute(&harness, "channel", "beta-2");
    CU_ASSERT_EQUAL(decide(), CAIRN_KEEP);
    harness_close(&harness);
}

static void sample_share(const char *rate, int least, int most)
{
    char id[64];
    int kept = 0;

    CU_ASSERT_FATAL(harness_open(&harness, "filter", "sample"));
    harness_option(&harness, "rate", rate);
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(id, sizeof(id), "0193a1b2-c3d4-7e5f-8a6b-%012x", i);
        harness_field(&harness, "id", id);
        kept += decide() == CAIRN_KEEP;
    }
    CU_ASSERT_TRUE(kept >= least && kept <= most);
    harness_close(&harness);
}

static void sample_rates(void)
{
    sample_share("0", 0, 0);
    sample_share("1", 2000, 2000);
    sample_share("100%", 2000, 2000);
    sample_share("25%", 420, 580);
    sample_share("0.5", 910, 1090);
}

static void sample_is_repeatable(void)
{
    int first, differs = 0;
    char id[64];

    CU_ASSERT_FATAL(harness_open(&harness, "filter", "sample"));
    harness_option(&harness, "rate", "0.5");
    for (unsigned i = 0; i < 50; i++) {
        snprintf(id, sizeof(id), "0193a1b2-c3d4-7e5f-8a6b-%012x", i);
        harness_field(&harness, "id", id);
        harness_option(&harness, "seed", "");
        first = decide();
        CU_ASSERT_EQUAL(decide(), first);
        if (first == CAIRN_DROP) {
            CU_ASSERT_PTR_NOT_NULL(strstr(
                verdict.reason, "sampling keeps 50 % of the reports and this one stands at"));
        }
        harness_option(&harness, "seed", "another");
        differs += decide() != first;
    }
    CU_ASSERT_TRUE(differs > 5);
    harness_close(&harness);
}

static void sample_refuses_bad_rates(void)
{
    static const char *const rates[] = { "",    "-1",   "1.5", "101%", "inf", "nan", "0x1",
                                         "1e0", "0.5 ", "5%%", ".",    "%",   "1..2" };

    CU_ASSERT_FATAL(harness_open(&harness, "filter", "sample"));
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        harness_option(&harness, "rate", rates[i]);
        CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
        CU_ASSERT_PTR_NOT_NULL(strstr(harness.problems, "rate: \""));
    }
    harness_close(&harness);
}

/* ---- all plugins ---- */

static void check_option(const struct cairn_option *option, const struct cairn_plugin *plugin)
{
    size_t help = strlen(option->help);

    CU_ASSERT_TRUE(islower((unsigned char)option->name[0]));
    CU_ASSERT_EQUAL(strspn(option->name, "abcdefghijklmnopqrstuvwxyz0123456789_"),
                    strlen(option->name));
    CU_ASSERT_TRUE(option->type >= CAIRN_OPTION_STRING && option->type <= CAIRN_OPTION_URL);
    CU_ASSERT_TRUE(option->offset < plugin->config_size);
    CU_ASSERT_TRUE(help > 10 && option->help[help - 1] == '.');
    CU_ASSERT_TRUE(option->type != CAIRN_OPTION_ENUM || option->choices != NULL);
    /* These keys belong to the host and stand beside a plugin's options. */
    CU_ASSERT_STRING_NOT_EQUAL(option->name, "plugin");
    CU_ASSERT_STRING_NOT_EQUAL(option->name, "timeout");
    CU_ASSERT_STRING_NOT_EQUAL(option->name, "on_error");
    CU_ASSERT_STRING_NOT_EQUAL(option->name, "output");
}

static void descriptors(void)
{
    static const struct {
        const char *kind, *name;
        uint32_t number;
    } plugins[] = {
        { "filter", "signal", CAIRN_KIND_FILTER },
        { "filter", "match", CAIRN_KIND_FILTER },
        { "filter", "sample", CAIRN_KIND_FILTER },
        { "filter", "ratelimit", CAIRN_KIND_FILTER },
        { "filter", "module", CAIRN_KIND_FILTER },
        { "filter", "uptime", CAIRN_KIND_FILTER },
        { "annotator", "static", CAIRN_KIND_ANNOTATOR },
        { "annotator", "system", CAIRN_KIND_ANNOTATOR },
        { "annotator", "process", CAIRN_KIND_ANNOTATOR },
        { "annotator", "breadcrumbs", CAIRN_KIND_ANNOTATOR },
        { "annotator", "container", CAIRN_KIND_ANNOTATOR },
        { "annotator", "file", CAIRN_KIND_ANNOTATOR },
        { "annotator", "memory", CAIRN_KIND_ANNOTATOR },
        { "annotator", "redact", CAIRN_KIND_ANNOTATOR },
        { "writer", "minidump", CAIRN_KIND_WRITER },
        { "writer", "text", CAIRN_KIND_WRITER },
        { "writer", "json", CAIRN_KIND_WRITER },
        { "hook", "exec", CAIRN_KIND_HOOK },
        { "hook", "launch_reporter", CAIRN_KIND_HOOK },
        { "transport", "directory", CAIRN_KIND_TRANSPORT },
        { "transport", "breakpad", CAIRN_KIND_TRANSPORT },
        { "transport", "backtrace", CAIRN_KIND_TRANSPORT },
    };

    for (size_t i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++) {
        const struct cairn_plugin *plugin;

        CU_ASSERT_FATAL(harness_open(&harness, plugins[i].kind, plugins[i].name));
        plugin = harness.plugin;
        CU_ASSERT_EQUAL(plugin->magic, CAIRN_PLUGIN_MAGIC);
        CU_ASSERT_EQUAL(plugin->size, sizeof(*plugin));
        CU_ASSERT_EQUAL(plugin->kind, plugins[i].number);
        CU_ASSERT_STRING_EQUAL(plugin->name, plugins[i].name);
        CU_ASSERT_EQUAL(plugin->summary[strlen(plugin->summary) - 1], '.');
        CU_ASSERT_EQUAL(plugin->option_size, sizeof(struct cairn_option));
        for (const struct cairn_option *option = plugin->options; option->name != NULL; option++) {
            check_option(option, plugin);
        }
        harness_close(&harness);
    }
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "signal keeps what is listed", signal_keeps_listed },
        { "signal drops what is listed", signal_drops_listed },
        { "signal passes reports without one", signal_passes_requests },
        { "match by executable and user", match_by_executable },
        { "match drops", match_drops },
        { "match by attributes", match_by_attributes },
        { "sample keeps its share", sample_rates },
        { "sample can be repeated", sample_is_repeatable },
        { "sample refuses bad rates", sample_refuses_bad_rates },
        { "descriptors of all plugins", descriptors },
        { NULL, NULL },
    };

    return tap_run("plugin filters", tests);
}
