/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin's documentation from its own tables; see plugin_doc.h. */
#include "tools/plugin_doc.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Of the committed manual page: it changes when somebody means it to. */
#define PAGE_DATE "November 25, 2026"

/* ---- Types and ranges ---- */

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit sizes[] = {
    { "GiB", INT64_C(1) << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 }, { "B", 1 }
};
static const struct unit durations[] = { { "d", INT64_C(86400000000) },
                                         { "h", INT64_C(3600000000) },
                                         { "m", 60000000 },
                                         { "s", 1000000 },
                                         { "ms", 1000 },
                                         { "us", 1 } };

/* In the largest unit that leaves no fraction, as a configuration would have it. */
static void print_amount(int64_t amount, uint32_t type)
{
    const struct unit *unit = type == CAIRN_OPTION_SIZE ? sizes : durations;

    if (type != CAIRN_OPTION_SIZE && type != CAIRN_OPTION_DURATION) {
        printf("%" PRId64, amount);
        return;
    }
    while (unit->factor > 1 && (amount % unit->factor != 0 || amount == 0)) {
        unit++;
    }
    printf("%" PRId64 "%s", amount / unit->factor, unit->name);
}

static void print_range(const struct cairn_option *option)
{
    if (option->min == 0 && option->max == 0) {
        return;
    }
    fputs(" from ", stdout);
    print_amount(option->min, option->type);
    fputs(" to ", stdout);
    print_amount(option->max, option->type);
}

void plugin_print_type(const struct cairn_option *option)
{
    static const char *const types[] = { "",        "text",   "true or false", "number",
                                         "decimal", "size",   "duration",      "one of",
                                         "path",    "secret", "signal",        "URL" };
    bool known = option->type < sizeof(types) / sizeof(types[0]);

    printf("%s%s",
           (option->flags & CAIRN_OPTION_LIST) != 0  ? "list of "
           : (option->flags & CAIRN_OPTION_MAP) != 0 ? "map to "
                                                     : "",
           known ? types[option->type] : "?");
    for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++) {
        printf("%s%s", i == 0 ? " " : " | ", option->choices[i]);
    }
    print_range(option);
    if ((option->flags & CAIRN_OPTION_REQUIRED) != 0) {
        fputs(", required", stdout);
    } else if (option->default_text != NULL) {
        printf(", default %s", option->default_text[0] != '\0' ? option->default_text : "empty");
    }
}

/* ---- Facts as sentences ---- */

/* When a filter is asked, unless an option that is set delays it. */
static const char *stage_sentence(const struct plugin_facts *facts)
{
    static const char *const stages[] = {
        "It is asked before the stack is walked.",
        "It is asked when the stack is known.",
        "It is asked when all annotators are done.",
    };

    return facts->kind == CAIRN_KIND_FILTER && facts->stage <= CAIRN_STAGE_REPORT
               ? stages[facts->stage]
               : NULL;
}

/* What a capability lets the plugin do. */
static const struct {
    enum cairn_kind kind; /* 0: of any */
    uint32_t capability;
    const char *sentence;
} abilities[] = {
    { 0, CAIRN_CAP_NETWORK, "It uses the network." },
    { 0, CAIRN_CAP_PROCESSES, "It starts other programs." },
    { 0, CAIRN_CAP_PERSONAL_DATA, "It can add personal data to the report." },
    { CAIRN_KIND_ANNOTATOR, CAIRN_CAP_REDACTS,
      "It sees attached files, too; when it fails, what it has not seen is not kept." },
    { CAIRN_KIND_TRANSPORT, CAIRN_CAP_PREVIEW,
      "It can show what it would send (cairn show --as-sent)." },
};

#define ABILITIES     (sizeof(abilities) / sizeof(abilities[0]))
#define MAX_SENTENCES (3 + ABILITIES)

/* What the descriptor says, sentence by sentence; the count. `buffer` is for one that is made. */
static size_t sentences(const struct plugin_facts *facts, const char *ret_list[MAX_SENTENCES],
                        char *buffer, size_t capacity)
{
    size_t count = 0;

    ret_list[count++] = facts->summary;
    if (stage_sentence(facts) != NULL) {
        ret_list[count++] = stage_sentence(facts);
    }
    if (facts->kind == CAIRN_KIND_WRITER && facts->extension != NULL) {
        snprintf(buffer, capacity, "It writes INSTANCE.%s of the type %s.", facts->extension,
                 facts->media_type != NULL ? facts->media_type : "application/octet-stream");
        ret_list[count++] = buffer;
    }
    for (size_t i = 0; i < ABILITIES; i++) {
        bool has = (facts->capabilities & abilities[i].capability) != 0;

        if (has && (abilities[i].kind == 0 || abilities[i].kind == facts->kind)) {
            ret_list[count++] = abilities[i].sentence;
        }
    }
    return count;
}

/* What setting the option brings about besides its meaning; NULL: nothing. */
static const char *consequence(const struct plugin_facts *facts, const struct cairn_option *option)
{
    if ((option->flags & CAIRN_OPTION_NEEDS_REPORT) != 0 && facts->stage < CAIRN_STAGE_REPORT) {
        return "With it the filter is asked when all annotators are done.";
    }
    if ((option->flags & CAIRN_OPTION_NEEDS_STACK) != 0 && facts->stage < CAIRN_STAGE_STACK) {
        return "With it the filter is asked when the stack is known.";
    }
    if (option->capture != NULL && strcmp(option->capture, "=") != 0) {
        return "Only with it such data is captured at all.";
    }
    return NULL;
}

/* ---- As text ---- */

void plugin_print_text(const struct plugin_facts *facts)
{
    const char *list[MAX_SENTENCES];
    char buffer[512];
    size_t count = sentences(facts, list, buffer, sizeof(buffer));

    printf("%s/%s %s\n", config_kind(facts->kind), facts->name, facts->version);
    for (size_t i = 0; i < count; i++) {
        printf("  %s\n", list[i]);
    }
    for (size_t i = 0; i < facts->option_count; i++) {
        const struct cairn_option *option = &facts->options[i];

        printf("\n  %s: ", option->name);
        plugin_print_type(option);
        printf("\n      %s\n", option->help != NULL ? option->help : "");
        if (consequence(facts, option) != NULL) {
            printf("      %s\n", consequence(facts, option));
        }
    }
}

/* ---- As a manual page ---- */

/* Text lines of mdoc: each sentence begins one; nothing in them is a request or an escape. */
static void print_line(const char *text)
{
    bool begins = true;

    for (; *text != '\0'; text++) {
        if (begins && (*text == '.' || *text == '\'')) {
            fputs("\\&", stdout);
        }
        begins = text[0] == '.' && text[1] == ' ' && isupper((unsigned char)text[2]);
        if (begins) {
            fputs(".\n", stdout);
            text++;
        } else if (*text == '\\') {
            fputs("\\e", stdout);
        } else {
            putchar(*text == '\n' ? ' ' : *text);
        }
    }
    putchar('\n');
}

static void print_capitals(const char *text)
{
    for (; *text != '\0'; text++) {
        putchar(toupper((unsigned char)*text));
    }
}

static void print_man_option(const struct plugin_facts *facts, const struct cairn_option *option)
{
    printf(".It Ic %s : No ", option->name);
    plugin_print_type(option);
    putchar('\n');
    print_line(option->help != NULL ? option->help : "");
    if (consequence(facts, option) != NULL) {
        print_line(consequence(facts, option));
    }
}

static void print_man_plugin(const struct plugin_facts *facts)
{
    const char *list[MAX_SENTENCES];
    char buffer[512];
    size_t count = sentences(facts, list, buffer, sizeof(buffer));

    printf(".Ss %s/%s\n", config_kind(facts->kind), facts->name);
    for (size_t i = 0; i < count; i++) {
        print_line(list[i]);
    }
    if (facts->option_count == 0) {
        print_line("It has no options.");
        return;
    }
    puts(".Bl -tag -width Ds");
    for (size_t i = 0; i < facts->option_count; i++) {
        print_man_option(facts, &facts->options[i]);
    }
    puts(".El");
}

static void print_man_head(const struct plugin_facts *single)
{
    puts(".\\\" SPDX-License-Identifier: Apache-2.0\n"
         ".\\\" Made by \"cairn plugin doc --man\" from the plugins' own option tables.\n"
         ".Dd " PAGE_DATE);
    fputs(".Dt CAIRN-", stdout);
    if (single != NULL) {
        print_capitals(config_kind(single->kind));
        putchar('-');
        print_capitals(single->name);
    } else {
        fputs("PLUGINS", stdout);
    }
    puts(" 7\n.Os\n.Sh NAME");
    if (single != NULL) {
        printf(".Nm cairn-%s-%s\n.Nd the %s %s of cairn\n", config_kind(single->kind), single->name,
               config_kind(single->kind), single->name);
    } else {
        puts(".Nm cairn-plugins\n.Nd the plugins that come with cairn");
    }
    puts(".Sh DESCRIPTION\n"
         "A configuration names a plugin in an instance, and sets its options beside the name;\n"
         "the keys that every instance has are those of\n"
         ".Xr cairn.yaml 5 .");
}

void plugin_print_man(struct plugin_facts *const *chosen, size_t count, bool all)
{
    enum cairn_kind kind = 0;

    print_man_head(all || count == 0 ? NULL : chosen[0]);
    for (size_t i = 0; i < count; i++) {
        if (chosen[i]->kind != kind) {
            kind = chosen[i]->kind;
            fputs(".Sh ", stdout);
            print_capitals(config_section(kind));
            putchar('\n');
        }
        print_man_plugin(chosen[i]);
    }
    puts(".Sh SEE ALSO\n.Xr cairn 1 ,\n.Xr cairn.yaml 5");
}
