/*
 * Views that give plain rows, for whoever reads a database of runs without this library: docs/formats/runs.md.
 *
 * SQL has no way to see a blob's numbers but its hexadecimal digits. They are put together again by shifts, which are
 * exact; and a double is its fraction, an integer, times a power of two, which is a product of powers of two: none of
 * these multiplications rounds. No literal is used that SQLite would have to round.
 */
#include "runs/schema.h"

/* The number of the 16 digits `h`: each is looked for, and shifted to its place. */
#define DIGIT(place, shift) " | (instr('123456789ABCDEF', substr(h, " #place ", 1)) << " #shift ")"
#define INTEGER_OF_H                                                                               \
    "(0" DIGIT(1, 60) DIGIT(2, 56) DIGIT(3, 52) DIGIT(4, 48) DIGIT(5, 44) DIGIT(6, 40)             \
        DIGIT(7, 36) DIGIT(8, 32) DIGIT(9, 28) DIGIT(10, 24) DIGIT(11, 20) DIGIT(12, 16)           \
            DIGIT(13, 12) DIGIT(14, 8) DIGIT(15, 4) DIGIT(16, 0) ")"

/* Which of its chunk's points, and its bytes in a blob, as 16 digits. */
#define INDEX "(64 * block.i + place.i)"
#define WIDTH(blob) "(length(chunk." blob ") / chunk.count)"
#define DIGITS(blob)                                                                               \
    "SELECT substr('0000000000000000' || hex(substr(chunk." blob                                   \
    ", 1 + " WIDTH(blob) " * " INDEX ", " WIDTH(blob) ")), -16) AS h LIMIT 1"
#define NUMBER(blob) "(SELECT " INTEGER_OF_H " FROM (" DIGITS(blob) "))"

#define COLUMN(blob, name)                                                                         \
    " chunk." blob "_base + " INDEX " * chunk." blob "_stride +"                                   \
    " CASE length(chunk." name ") WHEN 0 THEN 0 ELSE " NUMBER(name) " END"

/* 2 to the 512 and its square root and so on; and 2 to the -1074, the least double above 0. */
#define P32 "4294967296.0"
#define P64 P32 " * " P32
#define P128 P64 " * " P64
#define P256 P128 " * " P128
#define P512 P256 " * " P256
#define N62 "(1.0 / (1 << 62))"
#define N310 N62 " * " N62 " * " N62 " * " N62 " * " N62
#define N1074 N310 " * " N310 " * " N310 " * " N62 " * " N62 " * (1.0 / (1 << 20))"

/* x: how often the least double is doubled, a field of `bits`. */
#define EXPONENT "(bits >> 52 & 2047)"
#define DOUBLED "(max(" EXPONENT ", 1) - 1)"
#define POWER(bit, factor) " * CASE WHEN " DOUBLED " & " #bit " THEN " factor " ELSE 1.0 END"
#define FRACTION "(bits & 4503599627370495)"
#define FINITE                                                                                     \
    "CASE WHEN bits < 0 THEN -1.0 ELSE 1.0 END"                                                    \
    " * (" FRACTION " + CASE " EXPONENT " WHEN 0 THEN 0 ELSE 4503599627370496 END) * (" N1074      \
    ")" POWER(1, "2.0") POWER(2, "4.0") POWER(4, "16.0") POWER(8, "256.0") POWER(16, "65536.0")    \
        POWER(32, P32) POWER(64, "(" P64 ")") POWER(128, "(" P128 ")") POWER(256, "(" P256 ")")    \
            POWER(512, "(" P512 ")") POWER(1024, "(" P512 ")") POWER(1024, "(" P512 ")")
#define DOUBLE_OF_BITS                                                                             \
    "CASE WHEN " EXPONENT " < 2047 THEN " FINITE " WHEN " FRACTION " THEN NULL"                    \
    " WHEN bits < 0 THEN -9e999 ELSE 9e999 END"

/* The double of a float, whose bits are f. */
#define WIDER                                                                                      \
    "(f >> 31 << 63) | ((f & 8388607) << 29) | (CASE f >> 23 & 255 WHEN 0 THEN 0"                  \
    " WHEN 255 THEN 2047 ELSE (f >> 23 & 255) + 896 END << 52)"

#define VALUE                                                                                      \
    " (SELECT " DOUBLE_OF_BITS                                                                     \
    " FROM (SELECT CASE " WIDTH("points") " WHEN 8 THEN f"                                         \
                                          " ELSE " WIDER " END AS bits FROM (SELECT " INTEGER_OF_H \
                                          " AS f FROM (" DIGITS("points") ") LIMIT 1) LIMIT 1))"

#define UPTO_63                                                                                    \
    " (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12),"                         \
    " (13), (14), (15), (16), (17), (18), (19), (20), (21), (22), (23), (24), (25),"               \
    " (26), (27), (28), (29), (30), (31), (32), (33), (34), (35), (36), (37), (38),"               \
    " (39), (40), (41), (42), (43), (44), (45), (46), (47), (48), (49), (50), (51),"               \
    " (52), (53), (54), (55), (56), (57), (58), (59), (60), (61), (62), (63)"

/*
 * The order of the joins is what filters by run and name need; and no chunk has more than 64 * 64 points. DuckDB takes
 * the text of a view apart and hands it to SQLite again, in words that SQLite knows if there is no ON with a CROSS JOIN,
 * no UNION and no count(*).
 */
const char wi__runs_views[] =
    "CREATE VIEW metric AS WITH upto(i) AS (VALUES" UPTO_63 ")"
    " SELECT run.uuid AS run, series.name AS name, chunk.position + " INDEX
    " AS position," COLUMN("step", "steps") " AS step," COLUMN(
        "ms", "ms") " AS ms," VALUE " AS value"
                    " FROM run CROSS JOIN series CROSS JOIN chunk"
                    " CROSS JOIN upto AS block CROSS JOIN upto AS place"
                    " WHERE series.run = run.id AND chunk.series = series.id"
                    " AND 64 * block.i < chunk.count AND " INDEX " < chunk.count;"
                    "CREATE VIEW runs AS"
                    " SELECT r.uuid AS run, r.name AS name, r.status AS status,"
                    " strftime('%Y-%m-%d %H:%M:%f', r.started_ms / 1000.0, 'unixepoch') AS started,"
                    " strftime('%Y-%m-%d %H:%M:%f', r.ended_ms / 1000.0, 'unixepoch') AS ended,"
                    " (r.ended_ms - r.started_ms) / 1000.0 AS seconds,"
                    " (SELECT uuid FROM run WHERE id = r.parent) AS parent,"
                    " r.host AS host, r.pid AS pid, r.user AS user, r.command AS command, "
                    "r.directory AS directory,"
                    " (SELECT value FROM environment WHERE run = r.id AND key = 'git.commit') AS "
                    "git_commit,"
                    " r.exit_status AS exit_status, r.signal AS signal, r.error AS error, r.doing "
                    "AS doing,"
                    " r.peak_memory AS peak_memory,"
                    " (SELECT count(id) FROM series WHERE run = r.id) AS metrics,"
                    " (SELECT coalesce(sum(count), 0) FROM series WHERE run = r.id) AS points"
                    " FROM run AS r;";

const char wi__runs_no_views[] = "DROP VIEW IF EXISTS metric; DROP VIEW IF EXISTS runs;";
