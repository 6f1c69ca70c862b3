/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_seeds FOLDER: writes the seeds that are better made than kept: minidumps, the report.json of
 * one, processes, pages, records of a step, each below FOLDER/<target>/. Texts lie in
 * tests/fuzz/seeds/.
 */
#include "core/crash/page.h"
#include "core/minidump/reader.h"
#include "core/plugin/wire.h"
#include "core/report/report.h"
#include "core/util/fs.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/dump_maker.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *folder;

static void save(const char *name, const void *data, size_t bytes)
{
    struct error error;
    int fd = fs_make_directories(folder, &error), below;
    char target[32];
    const char *slash = strchr(name, '/');

    fuzz_require(fd >= 0 && (size_t)(slash - name) < sizeof(target));
    memcpy(target, name, (size_t)(slash - name));
    target[slash - name] = '\0';
    below = fs_make_directory(fd, target, &error);
    fuzz_require(below >= 0 && fs_replace_file(below, slash + 1, data, bytes, &error) == 0);
    close(below);
    close(fd);
}

/* A part of an input, with its length before it. */
struct output {
    unsigned char data[64 * 1024];
    size_t bytes;
};

static void add(struct output *output, const void *data, size_t bytes)
{
    fuzz_require(bytes <= sizeof(output->data) - output->bytes);
    memcpy(output->data + output->bytes, data, bytes);
    output->bytes += bytes;
}

static void add_part(struct output *output, const void *data, size_t bytes)
{
    unsigned char length[2];

    put16(length, (uint16_t)bytes);
    add(output, length, sizeof(length));
    add(output, data, bytes);
}

/* ---- minidumps and reports ---- */

static void make_dumps(void)
{
    static struct maker maker;
    struct report *report = report_create();
    struct minidump *dump;
    struct error error;
    char *text;
    int fd;

    maker_cairn_dump(&maker);
    save("minidump/cairn", maker.data, maker.bytes);
    fd = maker_file(&maker, maker.bytes);
    fuzz_require(minidump_open(fd, "seed", &dump, &error) == 0);
    fuzz_require(report != NULL && report_from_minidump(report, dump) == 0);
    fuzz_require(
        report_add_artifact(report, "crash.dmp", "application/x-dmp", 1,
                            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8"
                            "55") == 0);
    fuzz_require(report_add_delivery(report, "upload") != NULL);
    text = report_to_json(report);
    fuzz_require(text != NULL);
    save("report/cairn", text, strlen(text));
    free(text);
    minidump_close(dump);
    close(fd);
    report_destroy(report);
}

/* ---- a process with one module ---- */

struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segments[3];
    Elf64_Dyn dynamic[4];
    Elf64_Nhdr note;
    char owner[4];
    unsigned char build_id[20];
    char names[32];
    struct r_debug debug;
    struct link_map link;
};

#define BASE          0x400000u
#define AT_OF(member) (BASE + offsetof(struct image, member))

static void make_image(struct image *image)
{
    memset(image, 0, sizeof(*image));
    memcpy(image->header.e_ident, ELFMAG, SELFMAG);
    image->header.e_ident[EI_CLASS] = ELFCLASS64;
    image->header.e_type = ET_DYN;
    image->header.e_phoff = offsetof(struct image, segments);
    image->header.e_phentsize = sizeof(Elf64_Phdr);
    image->header.e_phnum = 3;
    image->segments[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_memsz = sizeof(*image) };
    image->segments[1] = (Elf64_Phdr){
        .p_type = PT_NOTE, .p_align = 4, .p_vaddr = offsetof(struct image, note), .p_memsz = 36
    };
    image->segments[2] = (Elf64_Phdr){ .p_type = PT_DYNAMIC,
                                       .p_vaddr = offsetof(struct image, dynamic),
                                       .p_memsz = sizeof(image->dynamic) };
    image->dynamic[0] = (Elf64_Dyn){ .d_tag = DT_STRTAB, .d_un.d_ptr = AT_OF(names) };
    image->dynamic[1] = (Elf64_Dyn){ .d_tag = DT_SONAME, .d_un.d_val = 0 };
    image->dynamic[2] = (Elf64_Dyn){ .d_tag = DT_DEBUG, .d_un.d_ptr = AT_OF(debug) };
    image->note = (Elf64_Nhdr){ 4, sizeof(image->build_id), NT_GNU_BUILD_ID };
    memcpy(image->owner, "GNU", 4);
    memset(image->build_id, 0xab, sizeof(image->build_id));
    memcpy(image->names, "libseed.so.1.2.3", 17);
    image->debug.r_version = 1;
    image->debug.r_map = (struct link_map *)(uintptr_t)AT_OF(link);
    image->link.l_name = (char *)(uintptr_t)AT_OF(names);
    image->link.l_ld = (Elf64_Dyn *)(uintptr_t)AT_OF(dynamic);
}

static const char maps[] = "00400000-00401000 r-xp 00000000 fe:01 12 /opt/program (deleted)\n"
                           "00401000-00402000 rw-p 00000000 00:00 0 \n"
                           "7ffc10000000-7ffc10021000 rw-p 00000000 00:00 0 [stack]\n"
                           "7ffc10100000-7ffc10102000 r-xp 00000000 00:00 0 [vdso]\n"
                           "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n";
static const char status[] =
    "Name:\tpro gram\nUmask:\t0022\nTgid:\t4242\nUid:\t1000\t1000\t1000\t1000\n"
    "Gid:\t1000\t1000\t1000\t1000\nGroups:\t4 24 27\nTracerPid:\t0\n";
static const char stat_text[] =
    "4242 (a) name) S 1 4242 4242 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 5000 8192 100 1 1 1 "
    "140720576569344 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 140720576570000 140720576570020 "
    "140720576570020 140720576571000 0\n";
static const char limits[] =
    "Limit                     Soft Limit           Hard Limit           Units\n"
    "Max open files            1024                 4096                 files\n";

static void make_process(void)
{
    const uint64_t auxv[] = { AT_PHDR, AT_OF(segments), AT_ENTRY, BASE, AT_NULL, 0 };
    static struct output output;
    struct image image;

    make_image(&image);
    add(&output, "\0", 1); /* no allocation fails */
    add_part(&output, maps, sizeof(maps) - 1);
    add_part(&output, auxv, sizeof(auxv));
    add_part(&output, status, sizeof(status) - 1);
    add_part(&output, stat_text, sizeof(stat_text) - 1);
    add_part(&output, limits, sizeof(limits) - 1);
    add(&output, &image, sizeof(image));
    save("capture/program", output.data, output.bytes);
    output.bytes = 1;
    add(&output, maps, sizeof(maps) - 1);
    save("maps/program", output.data, output.bytes);
}

/* ---- pages ---- */

static void patch(struct output *output, size_t offset, const void *data, size_t bytes)
{
    unsigned char head[4];

    put32(head, (uint32_t)offset | (uint32_t)bytes << 24);
    add(output, head, sizeof(head));
    add(output, data, bytes);
}

static void make_page(void)
{
    const uint32_t used = 1, even = 2;
    const struct page_annotation annotation = {
        .sequence = 2, .type = 1, .bytes = 5, .name = "team"
    };
    const struct page_annotation number = { .sequence = 4, .type = 2, .bits = 7, .name = "level" };
    const struct page_region region = { .start = 0x1000, .bytes = 64, .name = "state" };
    const struct page_parked parked = { 12, 11 };
    const uint64_t crumb[] = { 2, 1 };
    static struct output output;

    add(&output, "\0\0\2", 3); /* no failure; the right size; F_SEAL_SHRINK */
    patch(&output, offsetof(struct page, application), "shop", 4);
    patch(&output, offsetof(struct page, annotations[0]), &annotation, sizeof(annotation));
    patch(&output, offsetof(struct page, annotations[1]), &number, sizeof(number));
    patch(&output, offsetof(struct page, values[0]), "value", 5);
    patch(&output, offsetof(struct page, regions[0]), &region, sizeof(region));
    patch(&output, offsetof(struct page, parked_count), &used, sizeof(used));
    patch(&output, offsetof(struct page, parked[0]), &parked, sizeof(parked));
    patch(&output, offsetof(struct page, breadcrumbs[0]), crumb, sizeof(crumb));
    patch(&output, offsetof(struct page, breadcrumbs[0].message), "hello", 5);
    patch(&output, offsetof(struct page, attachments[0].used), &used, sizeof(used));
    patch(&output, offsetof(struct page, attachments[0].path), "/etc/hostname", 13);
    patch(&output, offsetof(struct page, slots[0].state), &even, sizeof(even));
    patch(&output, offsetof(struct page, message), "why", 3);
    save("page/filled", output.data, output.bytes);
}

/* ---- a step's records ---- */

static void make_records(void)
{
    const struct wire_end end = { .state = WIRE_DONE, .reason = "because" };
    struct wire_record record = { .type = WIRE_ATTRIBUTE, .value = CAIRN_VALUE_STRING };
    int fd = fuzz_file((const uint8_t *)"\1", 1);
    unsigned char data[4096];
    ssize_t bytes;

    fuzz_require(lseek(fd, 0, SEEK_END) == 1);
    wire_send(fd, record, "team", "payments", 8);
    record = (struct wire_record){ .type = WIRE_ATTRIBUTE, .value = CAIRN_VALUE_DOUBLE, .bits = 7 };
    wire_send(fd, record, "level", NULL, 0);
    wire_send(fd, (struct wire_record){ .type = WIRE_NOTE }, NULL, "A note.", 7);
    wire_send(fd, (struct wire_record){ .type = WIRE_PROBLEM }, "option", "no", 2);
    wire_send(fd, (struct wire_record){ .type = WIRE_LOG, .bits = 9 }, NULL, "line", 4);
    wire_send(fd, (struct wire_record){ .type = WIRE_END }, NULL, &end, sizeof(end));
    bytes = pread(fd, data, sizeof(data), 0);
    fuzz_require(bytes > 0);
    save("intake/records", data, (size_t)bytes);
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 64;
    }
    folder = argv[1];
    make_dumps();
    make_process();
    make_page();
    make_records();
    return 0;
}
