/* Where in the program an instruction is, by the symbol tables of its ELF file. */
#include "manage/code_place.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- which file ---- */

typedef struct object {
    uintptr_t instruction;
    const char *path; /* NULL: not found */
    uintptr_t offset; /* the instruction's, as the file counts */
} object;

static int look_at(struct dl_phdr_info *info, size_t size, void *arg) {
    (void)size;
    object *found = arg;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD) continue;
        if (found->instruction - (info->dlpi_addr + part->p_vaddr) >= part->p_memsz) continue;
        found->path = *info->dlpi_name ? info->dlpi_name : "/proc/self/exe";
        found->offset = found->instruction - info->dlpi_addr;
        return 1;
    }
    return 0;
}

/* ---- its symbols ---- */

typedef struct image {
    const unsigned char *bytes;
    size_t size;
} image;

/* The bytes of a part of the file, or NULL if it is not all there. */
static const void *part_of(const image *file, uint64_t offset, uint64_t size) {
    return offset <= file->size && size <= file->size - offset ? file->bytes + offset : NULL;
}

static const ElfW(Shdr) * sections_of(const image *file, unsigned *count) {
    const ElfW(Ehdr) *header = part_of(file, 0, sizeof *header);
    if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return NULL;
    if (header->e_shentsize != sizeof(ElfW(Shdr)) || header->e_shoff % sizeof(void *)) return NULL;
    *count = header->e_shnum;
    return part_of(file, header->e_shoff, (uint64_t)*count * sizeof(ElfW(Shdr)));
}

static int holds(const ElfW(Sym) * symbol, uintptr_t offset) {
    return (symbol->st_info & 0xf) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
           offset - symbol->st_value < symbol->st_size;
}

/* The function's name, which lies in the file. @param[out] start  the function's, as the file counts. */
static const char *name_in(const image *file, const ElfW(Shdr) * table, const ElfW(Shdr) * strings,
                           uintptr_t offset, uintptr_t *start) {
    const ElfW(Sym) *symbols = part_of(file, table->sh_offset, table->sh_size);
    const char *names = part_of(file, strings->sh_offset, strings->sh_size);
    if (!symbols || !names || table->sh_offset % sizeof(void *)) return NULL;
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++) {
        if (!holds(&symbols[i], offset) || symbols[i].st_name >= strings->sh_size) continue;
        *start = symbols[i].st_value;
        const char *name = names + symbols[i].st_name;
        return memchr(name, '\0', strings->sh_size - symbols[i].st_name) ? name : NULL;
    }
    return NULL;
}

/* The table of all functions, or if it was stripped that of those that others may call. */
static const char *function_in(const image *file, uintptr_t offset, uintptr_t *start) {
    static const unsigned kinds[] = {SHT_SYMTAB, SHT_DYNSYM};
    unsigned count = 0;
    const ElfW(Shdr) *sections = sections_of(file, &count);
    for (int kind = 0; sections && kind < 2; kind++) {
        for (unsigned i = 0; i < count; i++) {
            if (sections[i].sh_type != kinds[kind] || sections[i].sh_link >= count) continue;
            const char *name =
                name_in(file, &sections[i], &sections[sections[i].sh_link], offset, start);
            if (name) return name;
        }
    }
    return NULL;
}

static image map(const char *path) {
    image file = {NULL, 0};
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return file;
    if (fstat(fd, &status) == 0 && status.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes != MAP_FAILED) file = (image){bytes, (size_t)status.st_size};
    }
    close(fd);
    return file;
}

/* ---- in words ---- */

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void say(const object *found, const char *path, char *text, size_t size) {
    uintptr_t start = 0;
    image file = map(found->path);
    const char *function = file.bytes ? function_in(&file, found->offset, &start) : NULL;
    if (function)
        snprintf(text, size, "in %s+0x%zx (%s)", function, (size_t)(found->offset - start),
                 last_part(path));
    else
        snprintf(text, size, "in %s+0x%zx", last_part(path), (size_t)found->offset);
    if (file.bytes) munmap((void *)file.bytes, file.size);
}

void wi__code_place(const void *instruction, char *text, size_t size) {
    object found = {(uintptr_t)instruction, NULL, 0};
    char program[1024];
    snprintf(text, size, "at %p", instruction);
    if (!dl_iterate_phdr(look_at, &found)) return;
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    int is_program = strcmp(found.path, "/proc/self/exe") == 0 && length > 0;
    say(&found, is_program ? program : found.path, text, size);
}
