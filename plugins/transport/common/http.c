/* SPDX-License-Identifier: Apache-2.0 */
/* One POST with libcurl; see http.h. */
#include "plugins/transport/common/http.h"

#include "plugins/transport/common/body.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define USER_AGENT             "Cairn/1.0 (Linux)"
#define STALL_BYTES_PER_SECOND 100L
#define MARGIN_MS              250 /* kept from the step's deadline, to hand the result over */
#define MAX_RETRY_AFTER_S      (24 * 3600)

const char *const http_compressions[] = { "none", "gzip", NULL };

int http_check(const struct cairn_host *host, const struct http_options *options)
{
    if (options->proxy_credentials != NULL && strchr(options->proxy_credentials, ':') == NULL) {
        return host->problem(host, "proxy_credentials", "the form is user:password");
    }
    if (options->proxy_credentials != NULL && options->proxy == NULL) {
        return host->problem(host, "proxy_credentials", "there is no proxy to use them with");
    }
    if (options->compress == HTTP_COMPRESS_GZIP && !body_can_compress()) {
        return host->problem(host, "compress", "this transport was built without zlib");
    }
    return CAIRN_PLUGIN_OK;
}

/* ---- what errors may say ---- */

static void mask(char *text, const char *secret, size_t length)
{
    char *place = text;

    while (length > 0 && (place = memmem(place, strlen(place), secret, length)) != NULL) {
        memset(place, '*', length);
        place += length;
    }
}

void http_redact(char *text, const char *url)
{
    const char *authority = strstr(url, "://"), *end, *at;

    authority = authority != NULL ? authority + 3 : url;
    end = authority + strcspn(authority, "/?#");
    at = memrchr(authority, '@', (size_t)(end - authority));
    if (at != NULL) {
        mask(text, authority, (size_t)(at - authority));
    }
    while (*end != '\0') {
        size_t length;

        end += strspn(end, "/?&=#");
        length = strcspn(end, "/?&=#");
        /* Short parts are words like "post" and "format"; this one is longer, and public. */
        if (length >= 7 && !(length == 8 && memcmp(end, "minidump", 8) == 0)) {
            mask(text, end, length);
        }
        end += length;
    }
}

static void name_server(CURLU *parts, char *ret_server, size_t capacity)
{
    char *host = NULL, *port = NULL;

    if (curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        host = NULL;
    }
    if (curl_url_get(parts, CURLUPART_PORT, &port, 0) != CURLUE_OK) {
        port = NULL;
    }
    snprintf(ret_server, capacity, "%s%s%s", host != NULL ? host : "the server",
             port != NULL ? ":" : "", port != NULL ? port : "");
    curl_free(host);
    curl_free(port);
}

static void warn_of_plain_text(const struct cairn_host *host, const char *url, const char *server)
{
    if (strncasecmp(url, "http:", 5) == 0 && strncmp(server, "localhost", 9) != 0 &&
        strncmp(server, "127.", 4) != 0 && strncmp(server, "[::1]", 5) != 0) {
        host->log(host, CAIRN_LOG_WARNING,
                  "The report and its token go to %s unencrypted; https would protect them.",
                  server);
    }
}

/* What happened, as what the server or its name did. */
static const char *predicate(CURLcode result)
{
    switch (result) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return "has a certificate that is not trusted";
    case CURLE_SSL_CACERT_BADFILE:
        return "cannot be verified, the file of authorities is not usable";
    case CURLE_OPERATION_TIMEDOUT:
        return "did not answer in time";
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "cannot be reached";
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return "dropped the connection";
    default:
        return "could not be asked";
    }
}

/* ---- the request ---- */

struct request {
    CURL *curl;
    CURLU *url;
    curl_mime *mime;
    struct curl_slist *headers;
    struct body body;
    char detail[CURL_ERROR_SIZE];
};

static size_t receive(char *data, size_t size, size_t count, void *answer_)
{
    struct http_answer *answer = answer_;
    size_t bytes = size * count, room = HTTP_MAX_ANSWER - answer->bytes;
    size_t taken = bytes < room ? bytes : room;
    char *body = realloc(answer->body, answer->bytes + taken + 1);

    if (body == NULL) {
        return 0;
    }
    memcpy(body + answer->bytes, data, taken);
    answer->body = body;
    answer->bytes += taken;
    body[answer->bytes] = '\0';
    answer->cut = taken < bytes;
    return taken; /* less than `bytes` ends the transfer */
}

static CURLcode add_part(curl_mime *mime, const struct form_part *part)
{
    curl_mimepart *target = curl_mime_addpart(mime);
    CURLcode result;

    if (target == NULL) {
        return CURLE_OUT_OF_MEMORY;
    }
    result = curl_mime_name(target, part->name);
    if (result == CURLE_OK && part->value != NULL) {
        return curl_mime_data(target, part->value, CURL_ZERO_TERMINATED);
    }
    if (result == CURLE_OK) {
        result = curl_mime_filedata(target, part->path);
    }
    if (result == CURLE_OK) {
        result = curl_mime_filename(target, part->filename);
    }
    return result == CURLE_OK ? curl_mime_type(target, part->type) : result;
}

static CURLcode add_form(struct request *request, const struct form *form)
{
    CURLcode result = CURLE_OK;

    request->mime = curl_mime_init(request->curl);
    if (request->mime == NULL || form->failed) {
        return CURLE_OUT_OF_MEMORY;
    }
    for (size_t i = 0; result == CURLE_OK && i < form->count; i++) {
        result = add_part(request->mime, &form->parts[i]);
        if (result != CURLE_OK) {
            snprintf(request->detail, sizeof(request->detail),
                     "the part %.64s cannot be added (%s)", form->parts[i].name,
                     curl_easy_strerror(result));
        }
    }
    return result == CURLE_OK ? curl_easy_setopt(request->curl, CURLOPT_MIMEPOST, request->mime)
                              : result;
}

static size_t read_body(char *buffer, size_t size, size_t count, void *body)
{
    ssize_t got = read(((struct body *)body)->fd, buffer, size * count);

    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static int seek_body(void *body, curl_off_t offset, int origin)
{
    return lseek(((struct body *)body)->fd, (off_t)offset, origin) >= 0 ? CURL_SEEKFUNC_OK
                                                                        : CURL_SEEKFUNC_FAIL;
}

static CURLcode add_header(struct request *request, const char *line)
{
    struct curl_slist *headers = curl_slist_append(request->headers, line);

    if (headers == NULL) {
        return CURLE_OUT_OF_MEMORY;
    }
    request->headers = headers;
    return CURLE_OK;
}

/* The same form, as one compressed body of a known length. */
static CURLcode add_compressed_form(struct request *request, const struct form *form)
{
    char type[128];
    int failed = 0;

    if (body_make(form, &request->body) != 0) {
        snprintf(request->detail, sizeof(request->detail), "the body cannot be compressed (%s)",
                 strerror(errno));
        return CURLE_READ_ERROR;
    }
    snprintf(type, sizeof(type), "Content-Type: multipart/form-data; boundary=%s",
             request->body.boundary);
    failed |= (int)add_header(request, type);
    failed |= (int)add_header(request, "Content-Encoding: gzip");
    failed |= (int)curl_easy_setopt(request->curl, CURLOPT_HTTPHEADER, request->headers);
    failed |= (int)curl_easy_setopt(request->curl, CURLOPT_POST, 1L);
    failed |= (int)curl_easy_setopt(request->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                    (curl_off_t)request->body.bytes);
    failed |= (int)curl_easy_setopt(request->curl, CURLOPT_READFUNCTION, read_body);
    failed |= (int)curl_easy_setopt(request->curl, CURLOPT_READDATA, &request->body);
    failed |= (int)curl_easy_setopt(request->curl, CURLOPT_SEEKFUNCTION, seek_body);
    failed |= (int)curl_easy_setopt(request->curl, CURLOPT_SEEKDATA, &request->body);
    return failed == 0 ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* What must hold for a byte to be sent at all: any failure here ends the request. */
static CURLcode set_security(CURL *curl, const struct http_options *options)
{
    int failed = 0;

#if LIBCURL_VERSION_NUM >= 0x075500
    failed |= (int)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    failed |=
        (int)curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    failed |= (int)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    failed |= (int)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    failed |= (int)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (options->ca_file != NULL) {
        failed |= (int)curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file);
    }
    if (options->proxy != NULL) {
        failed |= (int)curl_easy_setopt(curl, CURLOPT_PROXY, options->proxy);
    }
    if (options->proxy_credentials != NULL) {
        failed |= (int)curl_easy_setopt(curl, CURLOPT_PROXYUSERPWD, options->proxy_credentials);
    }
    return failed == 0 ? CURLE_OK : CURLE_FAILED_INIT;
}

/* These cannot fail but for lack of memory, which the transfer itself would meet too. */
static void set_behaviour(struct request *request, const struct http_options *options,
                          const struct cairn_host *host, struct http_answer *answer)
{
    uint64_t left_ms = host->time_left(host) / 1000;
    long total_ms = left_ms > 2 * MARGIN_MS ? (long)(left_ms - MARGIN_MS) : MARGIN_MS;

    curl_easy_setopt(request->curl, CURLOPT_CURLU, request->url);
    curl_easy_setopt(request->curl, CURLOPT_ERRORBUFFER, request->detail);
    curl_easy_setopt(request->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(request->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(request->curl, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(request->curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(options->connect_timeout / 1000));
    curl_easy_setopt(request->curl, CURLOPT_TIMEOUT_MS, total_ms);
    curl_easy_setopt(request->curl, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_SECOND);
    curl_easy_setopt(request->curl, CURLOPT_LOW_SPEED_TIME,
                     (long)(options->stall_timeout / 1000000));
    curl_easy_setopt(request->curl, CURLOPT_HTTPHEADER, request->headers);
    curl_easy_setopt(request->curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(request->curl, CURLOPT_WRITEDATA, answer);
}

/* An answer counts when it came whole, when it was longer than anybody wants to read, or when it
 * says no before all was sent: servers close early on what they will not take. */
static void read_result(CURL *curl, CURLcode result, struct http_answer *answer)
{
    long code = 0;
    curl_off_t seconds = 0;

    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    if (result != CURLE_OK && !answer->cut && code < 400) {
        return;
    }
    answer->code = (int)code;
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0) {
        seconds = seconds < MAX_RETRY_AFTER_S ? seconds : MAX_RETRY_AFTER_S;
        answer->retry_after = (uint64_t)seconds * 1000000;
    }
}

/* ---- the preview ---- */

static int show_text(const struct cairn_preview_service *preview, const struct cairn_host *host,
                     enum cairn_preview_kind kind, const char *name, const char *text)
{
    return preview->part(host,
                         &(struct cairn_preview_part){ .size = sizeof(struct cairn_preview_part),
                                                       .kind = kind,
                                                       .name = name,
                                                       .data = text,
                                                       .bytes = strlen(text) });
}

/* A file that is there for this step only is handed over by its content. */
static int show_content(const struct cairn_preview_service *preview, const struct cairn_host *host,
                        const struct cairn_preview_part *whole)
{
    struct cairn_preview_part part = *whole;
    int fd = open(part.path, O_RDONLY | O_CLOEXEC), result;
    struct stat status;
    void *data = MAP_FAILED;

    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0) {
        data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (data == MAP_FAILED) {
        return host->fail(host, "%s cannot be shown: %s.", part.filename, strerror(errno));
    }
    part.path = NULL;
    part.data = data;
    part.bytes = (size_t)status.st_size;
    result = preview->part(host, &part);
    munmap(data, part.bytes);
    return result;
}

static int show_part(const struct cairn_preview_service *preview, const struct cairn_host *host,
                     const struct form_part *part)
{
    struct cairn_preview_part file = { .size = sizeof(file),
                                       .kind = CAIRN_PREVIEW_FILE,
                                       .name = part->name,
                                       .path = part->path,
                                       .filename = part->filename,
                                       .media_type = part->type };

    if (part->value != NULL) {
        return show_text(preview, host, CAIRN_PREVIEW_FIELD, part->name, part->value);
    }
    return part->path != NULL && strncmp(part->path, "/proc/self/fd/", 14) == 0
               ? show_content(preview, host, &file)
               : preview->part(host, &file);
}

/* Credentials travel encoded, which nobody would recognise as the secret that is to be hidden. */
static int show_credentials(const struct http_options *options,
                            const struct cairn_preview_service *preview,
                            const struct cairn_host *host, const char *url)
{
    const char *authority = strstr(url, "://"), *at;
    char credentials[512];
    int failed = 0;

    authority = authority != NULL ? authority + 3 : url;
    at = memrchr(authority, '@', strcspn(authority, "/?#"));
    if (at != NULL) {
        snprintf(credentials, sizeof(credentials), "%.*s", (int)(at - authority), authority);
        failed |= show_text(preview, host, CAIRN_PREVIEW_HEADER, "Authorization", credentials);
    }
    if (options->proxy_credentials != NULL) {
        failed |= show_text(preview, host, CAIRN_PREVIEW_HEADER, "Proxy-Authorization",
                            options->proxy_credentials);
    }
    return failed;
}

/* All that this file decides; libcurl adds Host, Content-Length and the boundary. */
static void show(const struct http_options *options, const struct cairn_preview_service *preview,
                 const struct cairn_host *host, const char *url, const struct form *form,
                 struct http_answer *answer)
{
    int failed = show_text(preview, host, CAIRN_PREVIEW_TARGET, "POST", url);

    failed |= show_text(preview, host, CAIRN_PREVIEW_HEADER, "User-Agent", USER_AGENT);
    failed |= show_text(preview, host, CAIRN_PREVIEW_HEADER, "Accept", "*/*");
    failed |= show_text(preview, host, CAIRN_PREVIEW_HEADER, "Content-Type", "multipart/form-data");
    if (options->compress == HTTP_COMPRESS_GZIP) {
        failed |= show_text(preview, host, CAIRN_PREVIEW_HEADER, "Content-Encoding", "gzip");
    }
    failed |= show_credentials(options, preview, host, url);
    for (size_t i = 0; i < form->count; i++) {
        failed |= show_part(preview, host, &form->parts[i]);
    }
    answer->shown = failed == 0;
    if (failed != 0) {
        snprintf(answer->error, sizeof(answer->error), "What would be sent cannot be shown.");
    }
}

static const struct cairn_preview_service *preview_of(const struct cairn_host *host)
{
    return CAIRN_HOST_HAS(host, service) ? host->service(host, CAIRN_SERVICE_PREVIEW) : NULL;
}

/* ---- the transfer ---- */

static CURLcode perform(struct request *request, const struct http_options *options,
                        const struct cairn_host *host, const char *url, const struct form *form,
                        struct http_answer *answer)
{
    const struct cairn_preview_service *preview = preview_of(host);
    CURLcode result;

    set_behaviour(request, options, host, answer);
    result = set_security(request->curl, options);
    if (result == CURLE_OK) {
        result = options->compress == HTTP_COMPRESS_GZIP && preview == NULL
                     ? add_compressed_form(request, form)
                     : add_form(request, form);
    }
    if (result == CURLE_OK && preview != NULL) {
        show(options, preview, host, url, form, answer);
        return CURLE_OK;
    }
    return result == CURLE_OK ? curl_easy_perform(request->curl) : result;
}

static void explain(struct request *request, CURLcode result, const char *url,
                    struct http_answer *answer)
{
    if (request->detail[0] == '\0') {
        snprintf(request->detail, sizeof(request->detail), "%s", curl_easy_strerror(result));
    }
    request->detail[strcspn(request->detail, "\r\n")] = '\0';
    http_redact(request->detail, url);
    snprintf(answer->error, sizeof(answer->error), "%s %s: %s.", answer->server, predicate(result),
             request->detail);
}

void http_post(const struct http_options *options, const struct cairn_host *host, const char *url,
               const struct form *form, struct http_answer *ret_answer)
{
    struct request request = { .body = { .fd = -1 }, .detail = "" };
    CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);

    *ret_answer = (struct http_answer){ .server = "the server" };
    request.curl = result == CURLE_OK ? curl_easy_init() : NULL;
    request.url = curl_url();
    request.headers = curl_slist_append(NULL, "Expect:"); /* some servers stumble over it */
    if (request.curl == NULL || request.url == NULL || request.headers == NULL) {
        result = CURLE_OUT_OF_MEMORY;
    } else if (curl_url_set(request.url, CURLUPART_URL, url, 0) != CURLUE_OK) {
        result = CURLE_URL_MALFORMAT;
    } else {
        name_server(request.url, ret_answer->server, sizeof(ret_answer->server));
        warn_of_plain_text(host, url, ret_answer->server);
        result = perform(&request, options, host, url, form, ret_answer);
        read_result(request.curl, result, ret_answer);
    }
    if (ret_answer->code == 0 && !ret_answer->shown && ret_answer->error[0] == '\0') {
        explain(&request, result, url, ret_answer);
    }
    curl_mime_free(request.mime);
    curl_easy_cleanup(request.curl);
    curl_url_cleanup(request.url);
    curl_slist_free_all(request.headers);
    if (request.body.fd >= 0) {
        close(request.body.fd);
    }
}

void http_answer_finish(struct http_answer *answer)
{
    free(answer->body);
    *answer = (struct http_answer){ .code = 0 };
}
