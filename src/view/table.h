/*
 * Rows under titled columns. On a terminal the table fits its width: columns drop by priority and
 * one column is cut. Elsewhere all columns are whole. No line ends in spaces, and between two
 * columns there are always at least two.
 */
#ifndef PMO_VIEW_TABLE_H
#define PMO_VIEW_TABLE_H

#include "view/style.h"

#include <stdint.h>

enum table_align { TABLE_LEFT, TABLE_RIGHT };

enum {
	TABLE_KEEP = 0, /* the priority of the column that never drops: it is cut instead */
};

struct table_column {
	const char *title; /* of characters one column wide */
	enum table_align align;
	int priority; /* the greatest drops first; TABLE_KEEP for exactly one column */
};

struct table_cell {
	size_t offset; /* into text */
	size_t width;  /* in columns of the terminal */
	enum style style;
};

struct table {
	const struct table_column *columns; /* borrowed */
	size_t column_count;
	struct table_cell *cells; /* row by row */
	size_t cell_count;
	size_t cell_capacity;
	struct buffer text; /* the cells' visible texts, each with its NUL */
};

/* COLUMNS has at most TABLE_MAX_COLUMNS elements and outlives the table. */
enum { TABLE_MAX_COLUMNS = 16 };
void table_init(struct table *table, const struct table_column *columns, size_t count);
void table_release(struct table *table);

/* Add the next cell, row by row. TEXT may come from anywhere: it is made visible (base/text.h). */
void table_add(struct table *table, enum style style, const char *text);

/* Add the next cell, a number. */
void table_add_integer(struct table *table, enum style style, int64_t number);

/* Append the titles and all rows, each with INDENT spaces before it. */
void table_append(const struct table *table, const struct output *output, size_t indent,
		  struct buffer *buffer);

#endif
