/* The names of SQLite's result codes, which its library does not tell. */
#include "errors.h"

#include <sqlite3.h>

#ifndef SQLITE_CONSTRAINT_DATATYPE /* SQLite 3.37 */
#define SQLITE_CONSTRAINT_DATATYPE (SQLITE_CONSTRAINT | (12 << 8))
#endif

#define PRIMARY_CODES(X)                                                                           \
    X(ERROR)                                                                                       \
    X(INTERNAL)                                                                                    \
    X(PERM)                                                                                        \
    X(ABORT)                                                                                       \
    X(BUSY)                                                                                        \
    X(LOCKED)                                                                                      \
    X(NOMEM)                                                                                       \
    X(READONLY)                                                                                    \
    X(INTERRUPT)                                                                                   \
    X(IOERR)                                                                                       \
    X(CORRUPT)                                                                                     \
    X(NOTFOUND)                                                                                    \
    X(FULL)                                                                                        \
    X(CANTOPEN)                                                                                    \
    X(PROTOCOL)                                                                                    \
    X(EMPTY)                                                                                       \
    X(SCHEMA)                                                                                      \
    X(TOOBIG)                                                                                      \
    X(CONSTRAINT)                                                                                  \
    X(MISMATCH)                                                                                    \
    X(MISUSE)                                                                                      \
    X(NOLFS)                                                                                       \
    X(AUTH)                                                                                        \
    X(FORMAT)                                                                                      \
    X(RANGE)                                                                                       \
    X(NOTADB)                                                                                      \
    X(NOTICE)                                                                                      \
    X(WARNING)

#define EXTENDED_CODES(X)                                                                          \
    X(ABORT_ROLLBACK)                                                                              \
    X(AUTH_USER)                                                                                   \
    X(BUSY_RECOVERY)                                                                               \
    X(BUSY_SNAPSHOT)                                                                               \
    X(BUSY_TIMEOUT)                                                                                \
    X(CANTOPEN_CONVPATH)                                                                           \
    X(CANTOPEN_DIRTYWAL)                                                                           \
    X(CANTOPEN_FULLPATH)                                                                           \
    X(CANTOPEN_ISDIR)                                                                              \
    X(CANTOPEN_NOTEMPDIR)                                                                          \
    X(CANTOPEN_SYMLINK)                                                                            \
    X(CONSTRAINT_CHECK)                                                                            \
    X(CONSTRAINT_COMMITHOOK)                                                                       \
    X(CONSTRAINT_DATATYPE)                                                                         \
    X(CONSTRAINT_FOREIGNKEY)                                                                       \
    X(CONSTRAINT_FUNCTION)                                                                         \
    X(CONSTRAINT_NOTNULL)                                                                          \
    X(CONSTRAINT_PINNED)                                                                           \
    X(CONSTRAINT_PRIMARYKEY)                                                                       \
    X(CONSTRAINT_ROWID)                                                                            \
    X(CONSTRAINT_TRIGGER)                                                                          \
    X(CONSTRAINT_UNIQUE)                                                                           \
    X(CONSTRAINT_VTAB)                                                                             \
    X(CORRUPT_INDEX)                                                                               \
    X(CORRUPT_SEQUENCE)                                                                            \
    X(CORRUPT_VTAB)                                                                                \
    X(ERROR_MISSING_COLLSEQ)                                                                       \
    X(ERROR_RETRY)                                                                                 \
    X(ERROR_SNAPSHOT)                                                                              \
    X(IOERR_ACCESS)                                                                                \
    X(IOERR_AUTH)                                                                                  \
    X(IOERR_BEGIN_ATOMIC)                                                                          \
    X(IOERR_BLOCKED)                                                                               \
    X(IOERR_CHECKRESERVEDLOCK)                                                                     \
    X(IOERR_CLOSE)                                                                                 \
    X(IOERR_COMMIT_ATOMIC)                                                                         \
    X(IOERR_CONVPATH)                                                                              \
    X(IOERR_CORRUPTFS)                                                                             \
    X(IOERR_DATA)                                                                                  \
    X(IOERR_DELETE)                                                                                \
    X(IOERR_DELETE_NOENT)                                                                          \
    X(IOERR_DIR_CLOSE)                                                                             \
    X(IOERR_DIR_FSYNC)                                                                             \
    X(IOERR_FSTAT)                                                                                 \
    X(IOERR_FSYNC)                                                                                 \
    X(IOERR_GETTEMPPATH)                                                                           \
    X(IOERR_LOCK)                                                                                  \
    X(IOERR_MMAP)                                                                                  \
    X(IOERR_NOMEM)                                                                                 \
    X(IOERR_RDLOCK)                                                                                \
    X(IOERR_READ)                                                                                  \
    X(IOERR_ROLLBACK_ATOMIC)                                                                       \
    X(IOERR_SEEK)                                                                                  \
    X(IOERR_SHMLOCK)                                                                               \
    X(IOERR_SHMMAP)                                                                                \
    X(IOERR_SHMOPEN)                                                                               \
    X(IOERR_SHMSIZE)                                                                               \
    X(IOERR_SHORT_READ)                                                                            \
    X(IOERR_TRUNCATE)                                                                              \
    X(IOERR_UNLOCK)                                                                                \
    X(IOERR_VNODE)                                                                                 \
    X(IOERR_WRITE)                                                                                 \
    X(LOCKED_SHAREDCACHE)                                                                          \
    X(LOCKED_VTAB)                                                                                 \
    X(READONLY_CANTINIT)                                                                           \
    X(READONLY_CANTLOCK)                                                                           \
    X(READONLY_DBMOVED)                                                                            \
    X(READONLY_DIRECTORY)                                                                          \
    X(READONLY_RECOVERY)                                                                           \
    X(READONLY_ROLLBACK)

const char *wi__sqlite_code_name(int code) {
    switch (code) {
#define CASE(name)                                                                                 \
    case SQLITE_##name: return "SQLITE_" #name;
        PRIMARY_CODES(CASE)
        EXTENDED_CODES(CASE)
    default: return code > 0xff ? wi__sqlite_code_name(code & 0xff) : "an unknown code";
    }
}
