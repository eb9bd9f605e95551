/* The columns of a CSV log: "step:int,loss:float,note" as names and types. */
#ifndef WITHIN_MANAGE_CSV_COLUMNS_H
#define WITHIN_MANAGE_CSV_COLUMNS_H

#include <stddef.h>

typedef enum wi__csv_type {
    WI__CSV_ANY,
    WI__CSV_INT,
    WI__CSV_FLOAT,
    WI__CSV_TEXT,
    WI__CSV_BOOL
} wi__csv_type;

typedef struct wi__csv_column {
    const char *name; /* in the columns' text */
    wi__csv_type type;
} wi__csv_column;

/** All zero: none. */
typedef struct wi__csv_columns {
    size_t count;
    wi__csv_column *list;
    char *text;
} wi__csv_columns;

/**
 * Read the columns from a text. Whatever happens, they are to be released.
 *
 * @param path  for messages.
 * @raise WI_VALUE_ERROR if a column has no name, or that of another; WI_MEMORY_ERROR.
 */
void wi__csv_columns_read(wi__csv_columns *columns, const char *text, const char *path);
void wi__csv_columns_release(wi__csv_columns *columns);

/** "int", or "" of a column that takes any value. */
const char *wi__csv_type_name(wi__csv_type type);
/** May a cell be quoted? */
int wi__csv_columns_may_have_quotes(const wi__csv_columns *columns);
/** The line of the names: "snr,ber\n". To be freed. @raise WI_MEMORY_ERROR */
char *wi__csv_columns_line(const wi__csv_columns *columns);
/** Is a line, without its end, that of these names? They may be quoted otherwise. */
int wi__csv_columns_are(const wi__csv_columns *columns, const char *line, const char *end);

#endif
