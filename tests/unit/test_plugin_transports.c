/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bundled transports breakpad and backtrace against a real HTTP and HTTPS server
 * (tests/servers/receiver.py) that plays good and bad collectors.
 */
#include "tests/unit/plugin_harness.h"
#include "tests/unit/tap.h"

#include "core/util/fs.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID    "0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
#define TOKEN "7c102b2432f6c57eb879db2008820a88031fefc08d8e7faccabc23a917e7db08"

static struct harness harness;
static struct cairn_transport_args result;
static char folder[4096]; /* of this program's run */
static char spool[4200];  /* the report's folder */
static pid_t server;
static int port;
static cJSON *request; /* what the server stored last */

/* ---- helpers ---- */

static void write_file(const char *name, const char *text)
{
    char path[8500];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", spool, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || fs_write_all(fd, text, strlen(text)) != 0 || close(fd) != 0) {
        abort();
    }
}

/* The content of a file below the run's folder; NULL if it is absent. The caller frees it. */
static char *read_text(const char *name)
{
    char path[8500], *text = NULL;
    size_t bytes;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return fs_read_file(AT_FDCWD, path, 1 << 20, &text, &bytes, NULL) == 0 ? text : NULL;
}

/* Its standard output to `output`; or, if that is negative, both outputs nowhere. */
static pid_t spawn(const char *const *arguments, int output)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;

    posix_spawn_file_actions_init(&actions);
    if (output >= 0) {
        posix_spawn_file_actions_adddup2(&actions, output, 1);
    } else {
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
    }
    if (posix_spawnp(&pid, arguments[0], &actions, NULL, (char *const *)arguments, environ) != 0) {
        pid = -1;
    }
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void stop_server(void)
{
    if (server > 0) {
        kill(server, SIGTERM);
        waitpid(server, NULL, 0);
        server = 0;
    }
    cJSON_Delete(request);
    request = NULL;
}

/* Starts the receiver; its requests go to <folder>/received. */
static void start_server(const char *mode, const char *certificate, const char *key)
{
    const char *source = getenv("CAIRN_SRCDIR");
    char script[4096], store[4200], line[32] = "";
    const char *arguments[] = { "/usr/bin/python3",
                                script,
                                "--folder",
                                store,
                                "--mode",
                                mode,
                                "--lifetime",
                                "60",
                                certificate != NULL ? "--tls" : NULL,
                                certificate,
                                key,
                                NULL };
    int fds[2];

    stop_server();
    snprintf(script, sizeof(script), "%s/tests/servers/receiver.py", source != NULL ? source : ".");
    snprintf(store, sizeof(store), "%s/received", folder);
    fs_remove_tree(AT_FDCWD, store, NULL);
    CU_ASSERT_FATAL(pipe2(fds, O_CLOEXEC) == 0);
    server = spawn(arguments, fds[1]);
    close(fds[1]);
    CU_ASSERT_FATAL(server > 0);
    CU_ASSERT_FATAL(read(fds[0], line, sizeof(line) - 1) > 0);
    close(fds[0]);
    port = atoi(line);
    CU_ASSERT_FATAL(port > 0);
}

static void read_request(void)
{
    char *text = read_text("received/0001/request.json");

    cJSON_Delete(request);
    request = text != NULL ? cJSON_Parse(text) : NULL;
    free(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
}

static const char *text_of(const char *group, const char *name)
{
    const cJSON *item =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(request, group), name);

    return cJSON_IsString(item) ? item->valuestring : "(absent)";
}

static const char *file_text(int index, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(request, "files"), index), name);

    return cJSON_IsString(item) ? item->valuestring : "(absent)";
}

static void open_transport(const char *name)
{
    static char paths[2][8500];

    CU_ASSERT_FATAL(harness_open(&harness, "transport", name));
    for (size_t i = 0; i < 2; i++) {
        static const char *const names[] = { "dump.dmp", "summary.txt" };
        static const char *const types[] = { "application/x-dmp", "text/plain" };

        snprintf(paths[i], sizeof(paths[i]), "%s/%s", spool, names[i]);
        harness.artifacts[i] = (struct cairn_artifact){
            .is_minidump = i == 0, .name = names[i], .media_type = types[i], .path = paths[i]
        };
    }
    harness.artifact_count = 2;
    harness_attribute(&harness, "team", "payments");
    harness_attribute(&harness, "message", "\xe2\x82\xac \"quoted\"\nsecond line");
}

static void set_url(const char *format)
{
    static char url[512];

    snprintf(url, sizeof(url), format, port);
    harness_option(&harness, "url", url);
}

static int send_it(void)
{
    CU_ASSERT_EQUAL(harness_send(&harness, spool, &result), CAIRN_PLUGIN_OK);
    CU_ASSERT_PTR_NULL(strstr(result.error, TOKEN));
    CU_ASSERT_PTR_NULL(strstr(harness.log, TOKEN));
    CU_ASSERT_PTR_NULL(strstr(result.error, "s3cret"));
    return result.outcome;
}

static void says(const char *text)
{
    if (strstr(result.error, text) == NULL) {
        printf("# \"%s\" is not in \"%s\"\n", text, result.error);
        CU_FAIL("the error differs");
    }
}

/* ---- breakpad ---- */

static void breakpad_form(void)
{
    start_server("ok-text", NULL, NULL);
    open_transport("breakpad");
    set_url("http://127.0.0.1:%d/post");
    harness_option(&harness, "fields", "channel=beta");
    harness_option(&harness, "attachments", "true");
    CU_ASSERT_EQUAL(send_it(), CAIRN_DELIVERED);
    CU_ASSERT_EQUAL(result.response_code, 200);
    CU_ASSERT_STRING_EQUAL(result.server_id, "0f4f1f5c-2f0a-4a52-9a5e-000000000001");
    read_request();
    CU_ASSERT_STRING_EQUAL(text_of("fields", "prod"), "shop");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "ver"), "2.1");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "channel"), "beta");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "team"), "payments");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "message"), "\xe2\x82\xac \"quoted\"\nsecond line");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "report.id"), ID);
    CU_ASSERT_STRING_EQUAL(text_of("fields", "process.user"), "(absent)"); /* personal */
    CU_ASSERT_STRING_EQUAL(text_of("headers", "user-agent"), "Cairn/1.0 (Linux)");
    CU_ASSERT_STRING_EQUAL(text_of("headers", "expect"), "(absent)");
    CU_ASSERT_STRING_EQUAL(text_of("headers", "transfer-encoding"), "(absent)");
    CU_ASSERT_STRING_EQUAL(file_text(0, "name"), "upload_file_minidump");
    CU_ASSERT_STRING_EQUAL(file_text(0, "filename"), ID ".dmp");
    CU_ASSERT_STRING_EQUAL(file_text(0, "type"), "application/octet-stream");
    CU_ASSERT_STRING_EQUAL(file_text(1, "name"), "summary.txt");
    CU_ASSERT_STRING_EQUAL(file_text(1, "filename"), "summary.txt");
    CU_ASSERT_STRING_EQUAL(file_text(1, "type"), "text/plain");
    harness_close(&harness);
}

static void breakpad_names(void)
{
    start_server("ok-id", NULL, NULL);
    open_transport("breakpad");
    set_url("http://127.0.0.1:%d/crashreports");
    harness_option(&harness, "product", "Shop App");
    harness_option(&harness, "version", "3");
    harness_option(&harness, "fields", "team=override");
    harness_option(&harness, "dump_field", "minidump");
    CU_ASSERT_EQUAL(send_it(), CAIRN_DELIVERED);
    CU_ASSERT_STRING_EQUAL(result.server_id, "1");
    read_request();
    CU_ASSERT_STRING_EQUAL(text_of("fields", "prod"), "Shop App");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "ver"), "3");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "team"), "override");
    CU_ASSERT_STRING_EQUAL(file_text(0, "name"), "minidump");
    CU_ASSERT_STRING_EQUAL(file_text(1, "name"), "(absent)");
    harness_close(&harness);
}

static void breakpad_options(void)
{
    open_transport("breakpad");
    harness_option(&harness, "url", "http://127.0.0.1/");
    harness_option(&harness, "fields", "a\"b=1");
    harness_option(&harness, "dump_field", "");
    harness_option(&harness, "proxy_credentials", "nobody");
    CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.problems, "fields: \"a\"b\" cannot name a field"));
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.problems, "dump_field: \"\" cannot name a part"));
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.problems, "proxy_credentials: the form is"));
    CU_ASSERT_PTR_NULL(strstr(harness.problems, "nobody"));
    harness_close(&harness);
}

/* One row of the protocol's table: what the server does, and what follows for the report. */
struct row {
    const char *mode;
    int outcome, code;
    uint64_t least, most; /* seconds of retry_after */
    const char *id, *error;
};

static void play(const char *transport, const char *url, unsigned seconds, const struct row *row)
{
    start_server(row->mode, NULL, NULL);
    open_transport(transport);
    set_url(url);
    harness.deadline_us = harness_now_us() + seconds * 1000000ull;
    send_it();
    if (result.outcome != row->outcome || result.response_code != row->code ||
        result.retry_after < row->least * 1000000 || result.retry_after > row->most * 1000000) {
        printf("# %s: outcome %d, code %d, retry after %llu us: %s\n", row->mode, result.outcome,
               result.response_code, (unsigned long long)result.retry_after, result.error);
        CU_FAIL("the row's outcome differs");
    }
    CU_ASSERT_STRING_EQUAL(result.server_id, row->id);
    if (row->error != NULL) {
        says(row->error);
        CU_ASSERT_EQUAL(result.error[strlen(result.error) - 1], '.');
    } else {
        CU_ASSERT_STRING_EQUAL(result.error, "");
    }
    harness_close(&harness);
}

static void breakpad_rows(void)
{
    static const struct row rows[] = {
        { "ok-antenna", CAIRN_DELIVERED, 200, 0, 0, "bp-11111111-2222-3333-4444-000000000001",
          NULL },
        { "discarded", CAIRN_REJECTED, 200, 0, 0, "", "Discarded=rule_unsupported_product." },
        { "ok-empty", CAIRN_DELIVERED, 200, 0, 0, "", NULL },
        { "ok-html", CAIRN_DELIVERED, 200, 0, 0, "", NULL },
        { "413", CAIRN_REJECTED, 413, 0, 0, "", "answered with status 413: too large." },
        { "408", CAIRN_RETRY, 408, 0, 0, "", "status 408." },
        { "500", CAIRN_RETRY, 500, 0, 0, "", "status 500: internal error." },
        { "404", CAIRN_REJECTED, 404, 0, 0, "", "status 404." },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        play("breakpad", "http://127.0.0.1:%d/submit", 20, &rows[i]);
    }
}

static void without_a_minidump(void)
{
    open_transport("breakpad");
    harness_option(&harness, "url", "http://127.0.0.1:1/");
    harness.artifacts[0].is_minidump = 0;
    CU_ASSERT_EQUAL(send_it(), CAIRN_REJECTED);
    says("The report has no minidump to upload");
    harness_close(&harness);
}

/* ---- backtrace ---- */

static void backtrace_attributes(void)
{
    start_server("ok", NULL, NULL);
    open_transport("backtrace");
    set_url("http://127.0.0.1:%d");
    harness_option(&harness, "token", TOKEN);
    CU_ASSERT_EQUAL(send_it(), CAIRN_DELIVERED);
    CU_ASSERT_STRING_EQUAL(result.server_id, "01000000-7e23-7a1e-0000-000000000001");
    read_request();
    CU_ASSERT_STRING_EQUAL(text_of("query", "format"), "minidump");
    CU_ASSERT_STRING_EQUAL(text_of("query", "token"), TOKEN);
    CU_ASSERT_STRING_EQUAL(text_of("fields", "application"), "shop");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "version"), "2.1");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "fault.address"), "0x10");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "classifiers"), "SIGSEGV");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "error.message"),
                           "SIGSEGV: read or write at an address that is not mapped");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "process.id"), "4241");
    CU_ASSERT_STRING_EQUAL(text_of("fields", "team"), "payments");
    CU_ASSERT_STRING_EQUAL(file_text(0, "name"), "upload_file_minidump");
    CU_ASSERT_STRING_EQUAL(file_text(1, "name"), "attachment_summary.txt");
    CU_ASSERT_STRING_EQUAL(file_text(1, "filename"), "summary.txt");
    harness_close(&harness);
}

static void backtrace_rows(void)
{
    static const struct row rows[] = {
        { "ok-empty", CAIRN_DELIVERED, 200, 0, 0, "", NULL },
        { "ok-text", CAIRN_DELIVERED, 200, 0, 0, "", NULL },
        { "error-on-200", CAIRN_REJECTED, 200, 0, 0, "", "refused the report: invalid dump." },
        { "400", CAIRN_REJECTED, 400, 0, 0, "", "status 400: missing minidump." },
        { "403", CAIRN_REJECTED, 403, 0, 0, "", "status 403: invalid token /submit/**" },
        { "429", CAIRN_RETRY, 429, 7, 7, "", "status 429: slow down." },
        { "429-date", CAIRN_RETRY, 429, 55, 60, "", "status 429: slow down." },
        { "429-bare", CAIRN_RETRY, 429, 0, 0, "", "status 429: slow down." },
        { "429-far", CAIRN_RETRY, 429, 86400, 86400, "", "status 429: slow down." },
        { "503", CAIRN_RETRY, 503, 0, 0, "",
          "(Backtrace says so too when the universe or the format" },
        { "redirect", CAIRN_RETRY, 302, 0, 0, "", "redirects elsewhere (status 302)" },
        { "redirect-permanent", CAIRN_RETRY, 308, 0, 0, "", "redirects elsewhere (status 308)" },
        { "reset", CAIRN_RETRY, 0, 0, 0, "", "dropped the connection: " },
        { "reset-early", CAIRN_RETRY, 0, 0, 0, "", "dropped the connection: " },
        { "close", CAIRN_RETRY, 0, 0, 0, "", "dropped the connection: " },
        { "cut-answer", CAIRN_RETRY, 0, 0, 0, "", "dropped the connection: " },
        { "garbage", CAIRN_RETRY, 0, 0, 0, "", "could not be asked: " },
        { "endless", CAIRN_DELIVERED, 200, 0, 0, "", NULL },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        play("backtrace", "http://127.0.0.1:%d/submit/" TOKEN "/minidump", 20, &rows[i]);
    }
}

/* A server that says no at once and closes, while megabytes are still to be sent. */
static void early_refusal(void)
{
    char path[8500];

    snprintf(path, sizeof(path), "%s/dump.dmp", spool);
    CU_ASSERT_FATAL(truncate(path, 32 << 20) == 0);
    start_server("413-early", NULL, NULL);
    open_transport("breakpad");
    set_url("http://127.0.0.1:%d/");
    CU_ASSERT_EQUAL(send_it(), CAIRN_REJECTED);
    CU_ASSERT_EQUAL(result.response_code, 413);
    harness_close(&harness);
    write_file("dump.dmp", "MDMP of the test");
}

static void stalls_end(void)
{
    static const struct row rows[] = {
        { "stall", CAIRN_RETRY, 0, 0, 0, "", "did not answer in time: " },
        { "stall-body", CAIRN_RETRY, 0, 0, 0, "", "did not answer in time: " },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t began = harness_now_us();

        play("backtrace", "http://127.0.0.1:%d/u/" TOKEN "/minidump", 3, &rows[i]);
        CU_ASSERT_TRUE(harness_now_us() - began < 15000000);
    }
    start_server("stall", NULL, NULL); /* and before the deadline, by the option */
    open_transport("breakpad");
    set_url("http://127.0.0.1:%d/");
    harness_option(&harness, "stall_timeout", "1s");
    CU_ASSERT_EQUAL(send_it(), CAIRN_RETRY);
    says("did not answer in time: ");
    CU_ASSERT_TRUE(harness.deadline_us > harness_now_us() + 5000000);
    harness_close(&harness);
}

static void nobody_listens(void)
{
    start_server("ok", NULL, NULL);
    stop_server();
    open_transport("backtrace");
    set_url("http://user:s3cret@127.0.0.1:%d/u/" TOKEN "/minidump");
    CU_ASSERT_EQUAL(send_it(), CAIRN_RETRY);
    says("127.0.0.1:");
    says(" cannot be reached: ");
    harness_close(&harness);
}

static void proxy_is_used(void)
{
    static char proxy[64];

    start_server("ok", NULL, NULL);
    open_transport("backtrace");
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", port);
    harness_option(&harness, "url", "http://collector.invalid/u/" TOKEN "/minidump");
    harness_option(&harness, "proxy", proxy);
    harness_option(&harness, "proxy_credentials", "jo:s3cret");
    CU_ASSERT_EQUAL(send_it(), CAIRN_DELIVERED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.log, "go to collector.invalid unencrypted"));
    read_request();
    CU_ASSERT_STRING_EQUAL(text_of("headers", "host"), "collector.invalid");
    CU_ASSERT_STRING_EQUAL(text_of("headers", "proxy-authorization"), "Basic am86czNjcmV0");
    harness_close(&harness);
}

static void backtrace_options(void)
{
    static const struct {
        const char *url, *universe, *token, *problem;
    } cases[] = {
        { NULL, NULL, NULL, "url: give url, or universe and token" },
        { NULL, "acme", NULL, "token: the universe acme needs a token" },
        { "https://x", "acme", TOKEN, "universe: give either universe or url" },
        { NULL, "ac/me", TOKEN, "universe: \"ac/me\" is not the name" },
        { "https://x/u/t/json", NULL, NULL, "url: it must end in" },
        { "https://x/post?format=json&token=1", NULL, NULL, "url: it must end in" },
        { "https://x/post", NULL, TOKEN, "token: with a token the url is host and port alone" },
        { "https://x", NULL, "a&b", "token: a token has letters and digits only" },
        { "https://x/u/t/minidump", NULL, NULL, "" },
        { "https://x:6098/post?token=1&format=minidump", NULL, NULL, "" },
        { "https://x:6098/", NULL, TOKEN, "" },
        { NULL, "acme", TOKEN, "" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_transport("backtrace");
        harness_option(&harness, "url", cases[i].url);
        harness_option(&harness, "universe", cases[i].universe);
        harness_option(&harness, "token", cases[i].token);
        CU_ASSERT_EQUAL(harness_check(&harness) == CAIRN_PLUGIN_OK, cases[i].problem[0] == '\0');
        CU_ASSERT_PTR_NULL(strstr(harness.problems, TOKEN));
        CU_ASSERT_PTR_NOT_NULL(strstr(harness.problems, cases[i].problem));
        harness_close(&harness);
    }
}

/* ---- TLS ---- */

static char certificate[8500], key[8500], other_certificate[8500], other_key[8500];

static bool make_certificate(const char *name, const char *subject_name, char *ret_certificate,
                             char *ret_key)
{
    char alternative[64];
    const char *arguments[] = { "openssl",
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:prime256v1",
                                "-nodes",
                                "-days",
                                "1",
                                "-subj",
                                "/CN=cairn-test",
                                "-addext",
                                alternative,
                                "-keyout",
                                ret_key,
                                "-out",
                                ret_certificate,
                                "-batch",
                                NULL };
    int status;
    pid_t pid;

    snprintf(alternative, sizeof(alternative), "subjectAltName=%s", subject_name);
    snprintf(ret_certificate, 8500, "%s/%s.crt", folder, name);
    snprintf(ret_key, 8500, "%s/%s.key", folder, name);
    pid = spawn(arguments, -1);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool have_certificates(void)
{
    if (certificate[0] != '\0') {
        return true;
    }
    if (make_certificate("right", "DNS:localhost,IP:127.0.0.1", certificate, key) &&
        make_certificate("wrong", "DNS:elsewhere.invalid", other_certificate, other_key)) {
        return true;
    }
    printf("# openssl(1) made no certificate: skipped\n");
    certificate[0] = '\0';
    return false;
}

static void tls_send(const char *cert, const char *cert_key, const char *authority, int outcome,
                     const char *error)
{
    start_server("ok", cert, cert_key);
    open_transport("backtrace");
    set_url("https://127.0.0.1:%d/u/" TOKEN "/minidump");
    if (authority != NULL) {
        harness_option(&harness, "ca_file", authority);
    }
    CU_ASSERT_EQUAL(send_it(), outcome);
    if (error != NULL) {
        says(error);
    }
    harness_close(&harness);
}

static void tls(void)
{
    const char *version;

    if (!have_certificates()) {
        return;
    }
    tls_send(certificate, key, certificate, CAIRN_DELIVERED, NULL);
    read_request();
    version = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "tls"));
    CU_ASSERT_TRUE(version != NULL && strncmp(version, "TLSv1.", 6) == 0 && version[6] >= '2');
    tls_send(certificate, key, NULL, CAIRN_RETRY, "has a certificate that is not trusted: ");
    tls_send(other_certificate, other_key, other_certificate, CAIRN_RETRY,
             "has a certificate that is not trusted: ");
    tls_send(certificate, key, "/nowhere.pem", CAIRN_RETRY, "cannot be verified, the file of");
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "breakpad: the form", breakpad_form },
        { "breakpad: names", breakpad_names },
        { "breakpad: options", breakpad_options },
        { "breakpad: answers", breakpad_rows },
        { "a report without minidump", without_a_minidump },
        { "backtrace: attributes and attachments", backtrace_attributes },
        { "backtrace: answers", backtrace_rows },
        { "a server that refuses early", early_refusal },
        { "servers that stall", stalls_end },
        { "nobody listens", nobody_listens },
        { "a proxy with credentials", proxy_is_used },
        { "backtrace: options", backtrace_options },
        { "TLS", tls },
        { NULL, NULL },
    };
    int status;

    signal(SIGPIPE, SIG_IGN);
    unsetenv("http_proxy");
    unsetenv("https_proxy");
    unsetenv("all_proxy");
    snprintf(folder, sizeof(folder), "%s/cairn-transports-XXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    if (mkdtemp(folder) == NULL || access("/usr/bin/python3", X_OK) != 0) {
        printf("1..0 # SKIP no python3 or no temporary folder\n");
        return 0;
    }
    snprintf(spool, sizeof(spool), "%s/spool", folder);
    mkdir(spool, 0700);
    write_file("dump.dmp", "MDMP of the test");
    write_file("summary.txt", "summary");
    status = tap_run("plugin transports", tests);
    stop_server();
    fs_remove_tree(AT_FDCWD, folder, NULL);
    return status;
}
