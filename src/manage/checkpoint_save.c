/* wi_checkpoint_save: a block makes a checkpoint, which is published when the body has run to its end. */
#include <within/checkpoints.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/checkpoint_publish.h"
#include "manage/checkpoints.h"
#include "manage/durable.h"
#include "manage/owner.h"
#include "manage/remove_tree.h"
#include "record/complain.h"

/* ---- entering ---- */

static int is_new_name(const wi_metric *metrics, int i) {
    for (int k = 0; k < i; k++)
        if (strcmp(metrics[k].name, metrics[i].name) == 0) return 0;
    return 1;
}

/* A metric without a name ends them, so none with one may come after it. */
static int check_metrics(const wi_metric *metrics, wi__failure *failure) {
    int count = 0;
    while (count < WI_METRICS && metrics[count].name[0]) {
        if (!memchr(metrics[count].name, '\0', WI_METRIC_NAME))
            return wi__fail(failure, WI_VALUE_ERROR,
                            "the name of metric %d is longer than %d bytes", count + 1,
                            WI_METRIC_NAME - 1);
        if (!is_new_name(metrics, count))
            return wi__fail(failure, WI_VALUE_ERROR, "two metrics have the name %s",
                            metrics[count].name);
        count++;
    }
    for (int i = count; i < WI_METRICS; i++)
        if (metrics[i].name[0] || metrics[i].value != 0)
            return wi__fail(failure, WI_VALUE_ERROR, "metric %d has no name", count + 1);
    return 0;
}

static const char *suffix_of(const wi_checkpoint_save *save) {
    const char *suffix = save->options.suffix ? save->options.suffix : save->series->options.suffix;
    return suffix ? suffix : "";
}

static int make_scratch(wi__saving *saving, wi__failure *failure) {
    int length;
    wi__owned_name(WI__SCRATCH_STEM, saving->scratch);
    snprintf(saving->data, sizeof saving->data, WI__SCRATCH_STEM "%s", saving->suffix);
    length = snprintf(saving->path, sizeof saving->path, "%s/%s/%s", saving->folder_path,
                      saving->scratch, saving->data);
    if (length >= (int)sizeof saving->path)
        return wi__fail_errno(failure, ENAMETOOLONG, "its path is too long");
    if (mkdirat(saving->folder, saving->scratch, 0777) != 0)
        return wi__fail_errno(failure, errno, "no folder can be made in it");
    return 0;
}

static int open_saving(wi__saving *saving, const wi_checkpoint_save *save, wi__failure *failure) {
    saving->pid = getpid();
    saving->folder_path = save->series->folder;
    saving->suffix = suffix_of(save);
    if (wi__series_validate(save->series, failure) || check_metrics(save->options.metrics, failure))
        return -1;
    if (!wi__is_suffix(saving->suffix))
        return wi__fail(failure, WI_VALUE_ERROR, "%s cannot be a suffix", saving->suffix);
    saving->folder = wi__series_make(saving->folder_path, failure);
    if (saving->folder < 0) return -1;
    if (make_scratch(saving, failure) == 0) return 0;
    wi__close(saving->folder);
    return -1;
}

static void save_enter(void *self) {
    wi_checkpoint_save *save = self;
    wi__failure failure;
    if (save->saving)
        wi_raise(WI_USAGE_ERROR, "checkpoint %s: it is being made already", save->path);
    wi__saving *saving = calloc(1, sizeof *saving);
    if (!saving) wi_raise(WI_MEMORY_ERROR, "checkpoint %s: no memory", save->series->folder);
    if (open_saving(saving, save, &failure)) {
        free(saving);
        wi__raise_failure(&failure, "checkpoint %s", save->series->folder);
    }
    saving->holding = wi_hold("checkpoint", "%s", saving->path);
    save->saving = saving;
    save->path = saving->path;
    save->sequence = 0;
}

/* ---- publishing ---- */

static int publish(wi_checkpoint_save *save, wi__failure *failure) {
    wi__manifest manifest = {.step = save->options.step};
    memcpy(manifest.metrics, save->options.metrics, sizeof manifest.metrics);
    int failed = wi__checkpoint_publish(save->saving, &manifest, &save->series->options, failure);
    if (!failed) save->sequence = manifest.sequence;
    wi__manifest_release(&manifest);
    return failed;
}

void wi_checkpoint_publish(wi_checkpoint_save *save) {
    wi__failure failure;
    if (!save->saving)
        wi_raise(WI_USAGE_ERROR, "checkpoint %s: there is nothing to publish outside of its block",
                 save->series->folder);
    if (save->saving->pid != getpid())
        wi_raise(WI_USAGE_ERROR, "checkpoint %s: the parent process is making it", save->path);
    if (!save->sequence && publish(save, &failure))
        wi__raise_failure(&failure, "checkpoint %s", save->series->folder);
}

/* ---- leaving ---- */

static void remove_scratch(const wi__saving *saving) {
    wi__removal removal;
    if (wi__remove_tree(saving->folder, saving->scratch, 0, &removal))
        wi__complain("checkpoint %s: %s cannot be removed: %s", saving->folder_path, removal.path,
                     strerror(removal.error));
}

static void release(wi_checkpoint_save *save) {
    wi_let_go(save->saving->holding);
    wi__close(save->saving->folder);
    free(save->saving);
    save->saving = NULL;
    save->path = NULL;
}

static wi_verdict save_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)error;
    wi_checkpoint_save *save = self;
    wi__failure failure;
    int failed = 0;
    if (save->saving->pid == getpid()) {
        if (reason == WI_END && !save->sequence) failed = publish(save, &failure);
        if (reason == WI_LEFT && !save->sequence)
            fprintf(stderr, "within: checkpoint %s: its block was left early: nothing is saved\n",
                    save->series->folder);
        remove_scratch(save->saving);
    }
    release(save);
    if (failed) wi__raise_failure(&failure, "checkpoint %s", save->series->folder);
    return WI_PROPAGATE;
}

static void save_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi_checkpoint_save *)self)->series->folder);
}

static const wi_protocol save_protocol = {"checkpoint save", save_enter, save_exit, save_describe};

wi_checkpoint_save wi__checkpoint_save(const wi_checkpoints *series,
                                       wi_checkpoint_save_options options) {
    wi_checkpoint_save save = {&save_protocol, NULL, 0, series, options, NULL};
    return save;
}
