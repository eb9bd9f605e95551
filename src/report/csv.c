/*
 * CSV as in RFC 4180, but with plain line ends: a header line, then one line a path. Seconds; a field is
 * empty where there is nothing to tell.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/page.h"

static void print_text(FILE *out, const char *text) {
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void print_number(FILE *out, double number) {
    fputc(',', out);
    if (isfinite(number)) fprintf(out, "%.12g", number);
}

static void print_figures(FILE *out, const wi__figures *row) {
    const double figures[] = {row->total_s, row->self_s, row->mean_s, row->std_s,
                              row->min_s,   row->p50_s,  row->p99_s,  row->max_s};
    fprintf(out, ",%" PRIu64, row->calls);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) print_number(out, figures[i]);
    fprintf(out, ",%" PRIu64, row->errors);
    print_number(out, row->percent_of_parent);
}

static void print_gpu(FILE *out, const wi__gpu_counts *gpu, const wi__figures *row) {
    fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, gpu->calls, gpu->timed, gpu->captured);
    print_number(out, row->gpu_s);
    print_number(out, row->gpu_delta);
    print_number(out, row->gpu_peak);
}

static void print_row(const wi__page *page, const wi__row *row) {
    char path[WI__PATH_TEXT];
    const wi__path *source = &page->profile->paths[row->path];
    wi__full_path(page->profile, row->path, path, sizeof path);
    fprintf(page->out, "%" PRIu32 ",", row->path);
    if (row->parent != WI__ROOT) fprintf(page->out, "%" PRIu32, row->parent);
    fprintf(page->out, ",%" PRIu32 ",", row->depth);
    print_text(page->out, row->name);
    fputc(',', page->out);
    print_text(page->out, path);
    print_figures(page->out, &row->figures);
    fprintf(page->out, ",%" PRIu64 ",%" PRIu32, source->suppressed, source->open_calls);
    if (page->view->has_gpu) print_gpu(page->out, &source->gpu, &row->figures);
    fputc('\n', page->out);
}

void wi__write_csv(const wi__page *page) {
    fputs("id,parent,depth,name,path,calls,total_s,self_s,mean_s,std_s,min_s,p50_s,p99_s,max_s,"
          "errors,"
          "percent_of_parent,suppressed,open",
          page->out);
    if (page->view->has_gpu)
        fputs(",gpu_calls,gpu_timed,gpu_captured,gpu_s,gpu_delta_bytes,gpu_peak_bytes", page->out);
    fputc('\n', page->out);
    for (size_t i = 0; i < page->view->row_count; i++) print_row(page, &page->view->rows[i]);
}
