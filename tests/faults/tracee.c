/* The inside of a traced thread: all that differs between processors is here, and in no other file. */
#include "tracee.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#define PAGE_BYTES 4096

typedef struct user_regs_struct registers;

#if defined(__x86_64__)
static unsigned long long *argument_of(registers *all, int argument) {
    unsigned long long *const places[] = {&all->rdi, &all->rsi, &all->rdx,
                                          &all->r10, &all->r8,  &all->r9};
    return places[argument];
}
static unsigned long long *result_of(registers *all) { return &all->rax; }
#elif defined(__aarch64__)
static unsigned long long *argument_of(registers *all, int argument) {
    return &all->regs[argument];
}
static unsigned long long *result_of(registers *all) { return &all->regs[0]; }
#else
#error "fault knows the registers of x86-64 and aarch64 only"
#endif

/* A thread that was killed meanwhile has no registers: then all is left as it is, and its end is reported soon. */
static bool get_registers(pid_t tid, registers *all) {
    struct iovec bytes = {all, sizeof *all};
    return ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &bytes) == 0;
}

static void set_registers(pid_t tid, registers *all) {
    struct iovec bytes = {all, sizeof *all};
    ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &bytes);
}

void tracee_skip_call(pid_t tid) {
#if defined(__x86_64__)
    registers all;
    if (!get_registers(tid, &all)) return;
    all.orig_rax = (unsigned long long)-1;
    set_registers(tid, &all);
#else
    int none = -1;
    struct iovec bytes = {&none, sizeof none};
    ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &bytes);
#endif
}

void tracee_set_argument(pid_t tid, int argument, uint64_t value) {
    registers all;
    if (!get_registers(tid, &all)) return;
    *argument_of(&all, argument) = value;
    set_registers(tid, &all);
}

void tracee_set_result(pid_t tid, int64_t result) {
    registers all;
    if (!get_registers(tid, &all)) return;
    *result_of(&all) = (unsigned long long)result;
    set_registers(tid, &all);
}

bool tracee_read(pid_t tid, uint64_t address, void *bytes, size_t size) {
    struct iovec here = {bytes, size}, there = {(void *)(uintptr_t)address, size};
    return process_vm_readv(tid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

void tracee_write(pid_t tid, uint64_t address, const void *bytes, size_t size) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/mem", (int)tid);
    int memory = open(name, O_WRONLY | O_CLOEXEC);
    if (memory < 0) return;
    if (pwrite(memory, bytes, size, (off_t)address) != (ssize_t)size)
        perror("fault: /proc/PID/mem");
    close(memory);
}

/* Page by page, as the next one may not be there. */
bool tracee_read_text(pid_t tid, uint64_t address, char text[PATH_MAX]) {
    size_t length = 0;
    while (length < PATH_MAX) {
        size_t part = PAGE_BYTES - (address + length) % PAGE_BYTES;
        if (part > PATH_MAX - length) part = PATH_MAX - length;
        if (!tracee_read(tid, address + length, text + length, part)) return false;
        if (memchr(text + length, 0, part)) return true;
        length += part;
    }
    return false;
}

bool tracee_descriptor(pid_t tid, int descriptor, char path[PATH_MAX]) {
    char name[64];
    if (descriptor == AT_FDCWD) {
        snprintf(name, sizeof name, "/proc/%d/cwd", (int)tid);
    } else {
        snprintf(name, sizeof name, "/proc/%d/fd/%d", (int)tid, descriptor);
    }
    ssize_t length = readlink(name, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
    return length > 0;
}
