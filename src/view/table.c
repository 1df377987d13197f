#include "view/table.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
	GAP = 2,
	SHORTEST_CUT = 16, /* the kept column is not cut below this while another one can drop */
};

/* How a table is laid out on one output. */
struct layout {
	const struct output *output;
	size_t widths[TABLE_MAX_COLUMNS];
	bool shown[TABLE_MAX_COLUMNS];
	size_t indent;
};

void table_init(struct table *table, const struct table_column *columns, size_t count)
{
	*table = (struct table){ .columns = columns, .column_count = count };
}

void table_release(struct table *table)
{
	free(table->cells);
	buffer_release(&table->text);
	*table = (struct table){ 0 };
}

static bool is_plain_ascii(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < 0x20 || text[i] >= 0x7f)
			return false;
	return true;
}

void table_add(struct table *table, enum style style, const char *text)
{
	size_t length = strlen(text);
	size_t offset = table->text.length;
	size_t width = length;
	if (is_plain_ascii(text, length)) {
		buffer_append(&table->text, text, length);
	} else {
		text_append_visible(&table->text, text, length);
		width = text_width(table->text.data + offset);
	}
	buffer_append_char(&table->text, '\0');
	MEMORY_GROW(table->cells, table->cell_count, table->cell_capacity);
	table->cells[table->cell_count++] = (struct table_cell){ offset, width, style };
}

void table_add_integer(struct table *table, enum style style, int64_t number)
{
	char text[24];
	char *digit = text + sizeof(text) - 1;
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	*digit = '\0';
	do
		*--digit = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (number < 0)
		*--digit = '-';
	table_add(table, style, digit);
}

/* Titles are ours and narrow: counting their characters spares text_width its look at the locale,
 * which costs as much as the rest of a short table. */
static size_t title_width(const char *title)
{
	size_t width = 0;
	for (; *title; title++)
		width += ((unsigned char)*title & 0xc0) != 0x80;
	return width;
}

static void measure(const struct table *table, struct layout *layout)
{
	for (size_t column = 0; column < table->column_count; column++) {
		layout->widths[column] = title_width(table->columns[column].title);
		layout->shown[column] = true;
		for (size_t cell = column; cell < table->cell_count; cell += table->column_count)
			if (table->cells[cell].width > layout->widths[column])
				layout->widths[column] = table->cells[cell].width;
	}
}

static size_t kept_column(const struct table *table)
{
	size_t column = 0;
	while (table->columns[column].priority != TABLE_KEEP)
		column++;
	return column;
}

/* Columns that everything but the text of the kept column takes. */
static size_t fixed_width(const struct table *table, const struct layout *layout)
{
	size_t width = layout->indent;
	size_t shown = 0;
	for (size_t column = 0; column < table->column_count; column++) {
		if (!layout->shown[column])
			continue;
		shown++;
		if (table->columns[column].priority != TABLE_KEEP)
			width += layout->widths[column];
	}
	return width + (shown - 1) * GAP;
}

static bool drop_column(const struct table *table, struct layout *layout)
{
	size_t dropped = kept_column(table);
	for (size_t column = 0; column < table->column_count; column++)
		if (layout->shown[column] &&
		    table->columns[column].priority > table->columns[dropped].priority)
			dropped = column;
	if (table->columns[dropped].priority == TABLE_KEEP)
		return false;
	layout->shown[dropped] = false;
	return true;
}

static void fit(const struct table *table, struct layout *layout)
{
	size_t available = layout->output->columns;
	size_t *kept = &layout->widths[kept_column(table)];
	size_t shortest = *kept < SHORTEST_CUT ? *kept : SHORTEST_CUT;
	if (available == 0)
		return;
	while (fixed_width(table, layout) + shortest > available && drop_column(table, layout))
		continue;
	size_t fixed = fixed_width(table, layout);
	size_t room = available > fixed ? available - fixed : 1;
	if (*kept > room)
		*kept = room;
}

static void append_spaces(struct buffer *buffer, size_t count)
{
	memset(buffer_reserve(buffer, count), ' ', count);
	buffer->length += count;
	buffer->data[buffer->length] = '\0';
}

/* Append one text in its column. *pending counts the spaces that are due before the next visible
 * character: those that nothing follows are never written. */
static void append_cell(struct buffer *buffer, const struct layout *layout,
			const struct table_column *columns, size_t column, const char *text,
			size_t width, enum style style, size_t *pending)
{
	struct buffer cut CLEANUP_BUFFER = BUFFER_INIT;
	size_t room = layout->widths[column];
	if (width > room) {
		text_append_cut(&cut, text, room, layout->output->utf8 ? "…" : "...");
		text = buffer_string(&cut);
		width = text_width(text);
	}
	size_t padding = room - width;
	if (columns[column].align == TABLE_RIGHT)
		*pending += padding;
	if (*text) {
		append_spaces(buffer, *pending);
		*pending = 0;
		style_append(buffer, layout->output, style, text);
	}
	*pending += GAP + (columns[column].align == TABLE_LEFT ? padding : 0);
}

static void append_titles(const struct table *table, const struct layout *layout,
			  struct buffer *buffer)
{
	size_t pending = layout->indent;
	for (size_t column = 0; column < table->column_count; column++) {
		const char *title = table->columns[column].title;
		if (layout->shown[column])
			append_cell(buffer, layout, table->columns, column, title,
				    title_width(title), STYLE_BOLD, &pending);
	}
	buffer_append_char(buffer, '\n');
}

static void append_row(const struct table *table, const struct layout *layout, size_t first_cell,
		       struct buffer *buffer)
{
	size_t pending = layout->indent;
	for (size_t column = 0; column < table->column_count; column++) {
		const struct table_cell *cell = &table->cells[first_cell + column];
		if (layout->shown[column])
			append_cell(buffer, layout, table->columns, column,
				    table->text.data + cell->offset, cell->width, cell->style,
				    &pending);
	}
	buffer_append_char(buffer, '\n');
}

void table_append(const struct table *table, const struct output *output, size_t indent,
		  struct buffer *buffer)
{
	struct layout layout = { .output = output, .indent = indent };
	measure(table, &layout);
	fit(table, &layout);
	append_titles(table, &layout, buffer);
	for (size_t cell = 0; cell + table->column_count <= table->cell_count;
	     cell += table->column_count)
		append_row(table, &layout, cell, buffer);
}
