/*
 * Numbers with units, as people write and read them. Parsers accept the whole string or nothing.
 */
#ifndef PMO_BASE_UNITS_H
#define PMO_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits with an optional leading '-', within [minimum, maximum]. */
bool units_parse_integer(const char *text, int64_t minimum, int64_t maximum, int64_t *value);

/* "500ms", "5s", "1.5m", "2h", "1d"; a bare number is seconds. Nanoseconds, never negative. */
bool units_parse_duration(const char *text, int64_t *nanoseconds);

/* "512", "512K", "1.5G", with an optional trailing B or iB, base 1024, any case. Bytes. */
bool units_parse_size(const char *text, int64_t *bytes);

/* "true" "yes" "on" / "false" "no" "off", any case. */
bool units_parse_boolean(const char *text, bool *value);

/* A signal's name with or without SIG, any case, or its number ("TERM", "sigusr1", "RTMIN+3",
 * "RTMAX-1", "15"). */
bool units_parse_signal(const char *text, int *signal);

/* "1d 2h", "2h 3m", "3m 4s", "5s", "0s": two units at most. */
void units_format_duration(int64_t nanoseconds, char *text, size_t size);

/* "512 B"-free short form for tables: "0b", "12kb", "12.3mb", "1.5gb", base 1024. */
void units_format_size(int64_t bytes, char *text, size_t size);

/* A duration as pmo.yml writes it, exact: "0.5ms", "200ms", "5s", "2h". TEXT holds
 * >= 32 bytes. */
void units_format_duration_exact(int64_t nanoseconds, char *text, size_t size);

/* A size as pmo.yml writes it, exact, with the largest unit that leaves no fraction: "0", "1000",
 * "4K", "1536M", "2G". TEXT holds >= 24 bytes. */
void units_format_size_exact(int64_t bytes, char *text, size_t size);

/* "TERM" for SIGTERM; "RTMIN+3" or the number where there is no name. TEXT holds >= 16 bytes. */
void units_format_signal(int signal, char *text, size_t size);

#endif
