/* The tables of a database of runs, and views that give plain rows: docs/formats/runs.md. */
#include "runs/schema.h"

#include "runs/migrate.h"

/*
 * Numbers in BLOBs are big-endian, so that hex() reads them. A column of a chunk that has a base and a stride is
 * base + i * stride + the i-th number of its blob, unsigned, of length(blob) / count bytes.
 */
const char wi__runs_schema[] =
    "CREATE TABLE run ("
    " id INTEGER PRIMARY KEY,"
    " uuid TEXT NOT NULL UNIQUE," /* 32 hexadecimal digits */
    " name TEXT NOT NULL,"
    " parent INTEGER REFERENCES run ON DELETE SET NULL,"
    " status TEXT NOT NULL CHECK (status IN ('RUNNING', 'FINISHED', 'FAILED', 'INTERRUPTED', "
    "'KILLED')),"
    " started_ms INTEGER NOT NULL," /* since 1970, UTC; of a resumed run the first start */
    " ended_ms INTEGER,"
    " host TEXT, owner TEXT," /* owner: PID-START-BOOT-HOST as in the names of unfinished files */
    " pid INTEGER, user TEXT, command TEXT, directory TEXT,"
    " exit_status INTEGER, signal TEXT,"
    " error TEXT,"                        /* message and trail */
    " doing TEXT,"                        /* of a killed run: what was open, innermost first */
    " peak_memory INTEGER,"               /* bytes */
    " points INTEGER NOT NULL DEFAULT 0," /* of its journal, that are here */
    " notes INTEGER NOT NULL DEFAULT 0);" /* bytes of its notes, that are here */
    "CREATE INDEX run_name ON run (name);"
    "CREATE INDEX run_started ON run (started_ms);"
    "CREATE INDEX run_running ON run (status) WHERE status = 'RUNNING';"
    "CREATE TABLE param (run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, key TEXT NOT NULL,"
    " value TEXT NOT NULL, PRIMARY KEY (run, key)) WITHOUT ROWID;"
    "CREATE TABLE tag (run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, key TEXT NOT NULL,"
    " value TEXT NOT NULL, PRIMARY KEY (run, key)) WITHOUT ROWID;"
    "CREATE TABLE environment (run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, key TEXT NOT "
    "NULL,"
    " value TEXT NOT NULL, PRIMARY KEY (run, key)) WITHOUT ROWID;"
    "CREATE TABLE series ("
    " id INTEGER PRIMARY KEY,"
    " run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,"
    " number INTEGER NOT NULL," /* in the run's journal, from 0 */
    " name TEXT NOT NULL,"
    " count INTEGER NOT NULL DEFAULT 0,"
    " last_step INTEGER, last_ms INTEGER, last REAL, least REAL, most REAL,"
    " UNIQUE (run, name), UNIQUE (run, number));"
    "CREATE TABLE chunk ("
    " id INTEGER PRIMARY KEY,"
    " series INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,"
    " position INTEGER NOT NULL," /* of its first point in the series */
    " count INTEGER NOT NULL,"
    " step_base INTEGER NOT NULL, step_stride INTEGER NOT NULL, steps BLOB NOT NULL,"
    " ms_base INTEGER NOT NULL, ms_stride INTEGER NOT NULL, ms BLOB NOT NULL,"
    " points BLOB NOT NULL," /* IEEE 754 of 8 bytes, or of 4 where that is exact */
    " UNIQUE (series, position));"
    "CREATE TABLE section (run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, path TEXT NOT "
    "NULL,"
    " calls INTEGER, total REAL, self REAL, mean REAL, std REAL, min REAL, p50 REAL, p99 REAL, max "
    "REAL,"
    " errors INTEGER, PRIMARY KEY (run, path)) WITHOUT ROWID;" /* seconds */
    "CREATE TABLE finding (run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, kind TEXT NOT "
    "NULL,"
    " section TEXT NOT NULL, what TEXT NOT NULL);"
    "CREATE TABLE artifact (run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, name TEXT NOT "
    "NULL,"
    " bytes INTEGER NOT NULL, crc32c INTEGER NOT NULL, PRIMARY KEY (run, name)) WITHOUT ROWID;"
    "CREATE TABLE pushed (run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, server TEXT NOT "
    "NULL,"
    " remote TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (run, server)) WITHOUT ROWID;"
    "CREATE TABLE pushed_series (series INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,"
    " server TEXT NOT NULL, run INTEGER NOT NULL,"
    " sent INTEGER NOT NULL,"  /* points that the server has acknowledged */
    " tried INTEGER NOT NULL," /* sent, and those of a request that is under way */
    " PRIMARY KEY (series, server)) WITHOUT ROWID;"
    "CREATE INDEX pushed_tried ON pushed_series (run, server) WHERE tried > sent;"
    "PRAGMA application_id = 2003387502;" /* "witn" */
    "PRAGMA user_version = 1;";

static const char *const steps[WI__RUNS_VERSION] = {wi__runs_schema};
const wi__versions wi__runs_versions = {WI__RUNS_VERSION, steps};
