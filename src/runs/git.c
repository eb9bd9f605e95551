/* Asking git for the state of a folder: one call, whose output is read until it is known. */
#include "runs/git.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* As git looks for it. Elsewhere no process is begun, which the program could find among its own. */
static int is_in_a_repository(const char *folder) {
    char above[PATH_MAX], path[PATH_MAX + 8];
    if (getenv("GIT_DIR")) return 1;
    snprintf(above, sizeof above, "%s", folder);
    for (char *slash = above + strlen(above); slash; slash = strrchr(above, '/')) {
        *slash = '\0';
        snprintf(path, sizeof path, "%s/.git", above);
        if (access(path, F_OK) == 0) return 1;
    }
    return 0;
}

/* As this thread blocks all signals, and the program may ignore some. */
static void set_signals(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(pid_t *pid, const char *folder, int output) {
    const char *arguments[] = {"git",    "--no-optional-locks",  "-C",       folder,
                               "status", "--untracked-files=no", "--branch", "--porcelain=v2",
                               NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    set_signals(&attributes);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, 1);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    int error = posix_spawnp(pid, "git", &files, &attributes, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static int begin(wi__git *git, const char *folder, int output) {
    pthread_mutex_lock(&git->lock);
    int error = git->is_cancelled ? ECANCELED : spawn(&git->pid, folder, output);
    if (error) git->pid = 0;
    pthread_mutex_unlock(&git->lock);
    return error;
}

/* "# branch.oid COMMIT", other lines of the header, and a line a file that is changed. */
static void read_answer(wi__git *git, FILE *answer) {
    static const char oid[] = "# branch.oid ";
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, answer) > 0) {
        if (strncmp(line, oid, strlen(oid)) == 0)
            sscanf(line + strlen(oid), "%64[0-9a-f]", git->commit);
        else if (line[0] != '#')
            git->is_dirty = 1;
    }
    free(line);
}

/* It can be killed until it is waited for: then its number may be another's. */
static void end(wi__git *git) {
    int status = 0;
    siginfo_t ended;
    while (waitid(P_PID, (id_t)git->pid, &ended, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        continue;
    pthread_mutex_lock(&git->lock);
    while (waitpid(git->pid, &status, 0) < 0 && errno == EINTR) continue;
    git->pid = 0;
    if (status != 0) git->commit[0] = '\0';
    pthread_mutex_unlock(&git->lock);
}

void wi__git_ask(wi__git *git, const char *folder) {
    int ends[2];
    if (!is_in_a_repository(folder) || pipe2(ends, O_CLOEXEC) != 0) return;
    int error = begin(git, folder, ends[1]);
    close(ends[1]);
    FILE *answer = fdopen(ends[0], "re");
    if (!error && answer) read_answer(git, answer);
    if (answer)
        fclose(answer);
    else
        close(ends[0]);
    if (!error) end(git);
}

void wi__git_cancel(wi__git *git) {
    pthread_mutex_lock(&git->lock);
    git->is_cancelled = 1;
    if (git->pid) kill(git->pid, SIGKILL);
    pthread_mutex_unlock(&git->lock);
}
