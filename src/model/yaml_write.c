#include "base/text.h"
#include "model/yaml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct yaml_writer {
	yaml_emitter_t emitter;
};

static int write_bytes(void *data, unsigned char *bytes, size_t size)
{
	buffer_append(data, bytes, size);
	return 1;
}

/* libyaml allocates by itself: when it cannot, end as base/memory.h does, by asking for what nobody
 * has. */
static void fail_for_memory(void)
{
	free(memory_alloc(PTRDIFF_MAX));
}

/* An event only fails for want of memory, or for text that is not UTF-8, which never gets here. */
static void emit(struct yaml_writer *writer, yaml_event_t *event, int initialized)
{
	if (!initialized || !yaml_emitter_emit(&writer->emitter, event))
		fail_for_memory();
}

struct yaml_writer *yaml_writer_open(struct buffer *buffer)
{
	yaml_event_t event;
	struct yaml_writer *writer = memory_zalloc(1, sizeof(*writer));
	if (!yaml_emitter_initialize(&writer->emitter))
		fail_for_memory();
	yaml_emitter_set_output(&writer->emitter, write_bytes, buffer);
	yaml_emitter_set_encoding(&writer->emitter, YAML_UTF8_ENCODING);
	yaml_emitter_set_unicode(&writer->emitter, 1);
	yaml_emitter_set_width(&writer->emitter, -1);
	emit(writer, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(writer, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	return writer;
}

void yaml_writer_close(struct yaml_writer *writer)
{
	yaml_event_t event;
	emit(writer, &event, yaml_document_end_event_initialize(&event, 1));
	emit(writer, &event, yaml_stream_end_event_initialize(&event));
	yaml_emitter_delete(&writer->emitter);
	free(writer);
}

void yaml_write_begin_mapping(struct yaml_writer *writer, enum yaml_style style)
{
	yaml_event_t event;
	emit(writer, &event,
	     yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
						 style == YAML_STYLE_FLOW
						     ? YAML_FLOW_MAPPING_STYLE
						     : YAML_BLOCK_MAPPING_STYLE));
}

void yaml_write_end_mapping(struct yaml_writer *writer)
{
	yaml_event_t event;
	emit(writer, &event, yaml_mapping_end_event_initialize(&event));
}

void yaml_write_begin_sequence(struct yaml_writer *writer, enum yaml_style style)
{
	yaml_event_t event;
	emit(writer, &event,
	     yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
						  style == YAML_STYLE_FLOW
						      ? YAML_FLOW_SEQUENCE_STYLE
						      : YAML_BLOCK_SEQUENCE_STYLE));
}

void yaml_write_end_sequence(struct yaml_writer *writer)
{
	yaml_event_t event;
	emit(writer, &event, yaml_sequence_end_event_initialize(&event));
}

/* A style that reads back the same. libyaml takes NEL, LS and PS for line breaks and writes them as
 * such, and marks the end of a literal block with several line breaks in a way that ends the
 * document: all that goes into double quotes. */
static yaml_scalar_style_t choose_style(const char *text, size_t length)
{
	uint32_t code_point;
	bool lines = false;
	for (size_t i = 0, size; i < length; i += size) {
		size = text_utf8_decode(text + i, length - i, &code_point);
		if (code_point == '\n')
			lines = true;
		else if (text_is_control(code_point))
			return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	}
	if (length == 0 || strcmp(text, "<<") == 0)
		return YAML_SINGLE_QUOTED_SCALAR_STYLE;
	if (!lines)
		return YAML_ANY_SCALAR_STYLE;
	bool literal = text[0] != ' ' && text[0] != '\n' &&
		       !(length > 1 && text[length - 1] == '\n' && text[length - 2] == '\n');
	return literal ? YAML_LITERAL_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
}

void yaml_write_text(struct yaml_writer *writer, const char *text)
{
	yaml_event_t event;
	struct buffer visible CLEANUP_BUFFER = BUFFER_INIT;
	size_t length = strlen(text);
	if (!text_is_utf8(text, length)) {
		text_append_visible(&visible, text, length);
		text = buffer_string(&visible);
		length = visible.length;
	}
	/* the event copies the text, which it takes as bytes that it may change */
	yaml_char_t *bytes = (yaml_char_t *)(uintptr_t)text;
	emit(writer, &event,
	     yaml_scalar_event_initialize(&event, NULL, NULL, bytes, (int)length, 1, 1,
					  choose_style(text, length)));
}
