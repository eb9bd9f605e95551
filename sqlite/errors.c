/* SQLite's answers as errors. */
#include "errors.h"

#include <stdarg.h>
#include <stdio.h>

wi_define_error(WI_SQLITE_ERROR, WI_ERROR);
wi_define_error(WI_DATABASE_BUSY, WI_SQLITE_ERROR);
wi_define_error(WI_CONSTRAINT_ERROR, WI_SQLITE_ERROR);

static const wi_error_type *kind_of(int code, int errnum) {
    if (code == SQLITE_IOERR_NOMEM) return WI_MEMORY_ERROR;
    switch (code & 0xff) {
    case SQLITE_BUSY: return WI_DATABASE_BUSY;
    case SQLITE_CONSTRAINT: return WI_CONSTRAINT_ERROR;
    case SQLITE_FULL: return WI_DISK_FULL;
    case SQLITE_NOMEM: return WI_MEMORY_ERROR;
    case SQLITE_PERM:
    case SQLITE_READONLY: return WI_PERMISSION_ERROR;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return WI_DATA_ERROR;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: return wi_error_type_of_errno(errnum);
    default: return WI_SQLITE_ERROR;
    }
}

/* The system's reason is known of these alone: of others the connection has that of an earlier call. */
static int errno_of(sqlite3 *handle, int code) {
    int plain = code & 0xff;
    if (code == SQLITE_IOERR_NOMEM) return 0;
    return plain == SQLITE_CANTOPEN || plain == SQLITE_IOERR ? sqlite3_system_errno(handle) : 0;
}

wi__sqlite_failure wi__sqlite_failure_of(sqlite3 *handle, int code) {
    wi__sqlite_failure failure;
    int latest = handle ? sqlite3_extended_errcode(handle) : SQLITE_OK;
    int is_latest = (latest & 0xff) == (code & 0xff);
    if (is_latest && code <= 0xff) code = latest;
    failure.errnum = is_latest ? errno_of(handle, code) : 0;
    failure.kind = kind_of(code, failure.errnum);
    snprintf(failure.why, sizeof failure.why, "%.350s (%s)",
             is_latest ? sqlite3_errmsg(handle) : sqlite3_errstr(code), wi__sqlite_code_name(code));
    return failure;
}

void wi__raise_sqlite_failure(const wi_place *place, const wi__sqlite_failure *failure,
                              const char *file, const char *attempted) {
    if (failure->errnum)
        wi__raise_errno(place, failure->errnum, "%s: %s: %s", attempted, file, failure->why);
    wi__raise(place, failure->kind, "%s: %s: %s", attempted, file, failure->why);
}

const char *wi__sqlite_file_of(sqlite3 *handle) {
    const char *file = handle ? sqlite3_db_filename(handle, "main") : "a closed database";
    return file && *file ? file : ":memory:";
}

void wi__raise_sqlite(const wi_place *place, sqlite3 *handle, int code, const char *format, ...) {
    wi__sqlite_failure failure = wi__sqlite_failure_of(handle, code);
    char attempted[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(attempted, sizeof attempted, format, arguments);
    va_end(arguments);
    wi__raise_sqlite_failure(place, &failure, wi__sqlite_file_of(handle), attempted);
}
