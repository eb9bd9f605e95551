/* Processes told apart by pid, start time and boot. */
#include "record/process.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Field 22 of /proc/PID/stat; the command before it may hold anything, but ends at the last ')'. A zombie
 * has no start: it is dead, only not yet waited for. */
static uint64_t start_of(uint32_t pid) {
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%" PRIu32 "/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    char *field = strrchr(text, ')');
    if (!field || field[1] != ' ' || field[2] == 'Z') return 0;
    for (int skip = 20; field && skip; skip--) field = strchr(field + 1, ' ');
    uint64_t start = 0;
    if (field) sscanf(field, " %" SCNu64, &start);
    return start;
}

wi__process wi__process_of(uint32_t pid) {
    wi__process process = {pid, 0, start_of(pid)};
    return process;
}

wi__process wi__process_self(void) { return wi__process_of((uint32_t)getpid()); }

void wi__process_command(char *buffer, size_t size) {
    FILE *file = fopen("/proc/self/cmdline", "re");
    size_t length = file ? fread(buffer, 1, size - 1, file) : 0;
    if (file) fclose(file);
    while (length && buffer[length - 1] == '\0') length--;
    for (size_t i = 0; i < length; i++)
        if (buffer[i] == '\0') buffer[i] = ' ';
    buffer[length] = '\0';
}

void wi__boot_id(char *buffer, size_t size) {
    buffer[0] = '\0';
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!file) return;
    if (fgets(buffer, (int)size, file)) buffer[strcspn(buffer, "\n")] = '\0';
    fclose(file);
}

int wi__process_lives(const wi__process *process) {
    if (!process->pid || (kill((pid_t)process->pid, 0) != 0 && errno != EPERM)) return 0;
    return process->start == 0 || start_of(process->pid) == process->start;
}

int wi__process_is_alive(const wi__process *process, const char *boot_id) {
    char boot[40];
    wi__boot_id(boot, sizeof boot);
    return strncmp(boot, boot_id, sizeof boot) == 0 && wi__process_lives(process);
}
